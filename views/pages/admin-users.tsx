/** @jsxImportSource hono/jsx */
import { AdminPage, Field, FormToken, ScopeFields, Sure } from "../fragments/admin-page.tsx";
import { Moment } from "../fragments/moment.tsx";
import type { AdminView, Site, UserView } from "../props.ts";

export function AdminUsersPage({ site, view, users }: { site: Site; view: AdminView; users: UserView[] }) {
  return (
    <AdminPage site={site} part="users" view={view}>
      <p class="meta">People who sign in with a name and a password.</p>
      <section class="card" aria-labelledby="new-title">
        <h2 id="new-title">New user</h2>
        <form method="post" action={site.links.admin.users} class="admin-form">
          <FormToken view={view} />
          <Field
            name="name"
            label="Name"
            view={view}
            required
            maxlength={64}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
          />
          <ScopeFields view={view} />
          <Field
            name="password"
            label="Password"
            view={view}
            type="password"
            autocomplete="new-password"
            hint="Leave it empty to have one made, which you hand over."
          />
          <p>
            <button type="submit">Add the user</button>
          </p>
        </form>
      </section>
      <section class="card" aria-labelledby="all-title">
        <h2 id="all-title">Users</h2>
        {users.length === 0 ? (
          <p class="empty">There are none.</p>
        ) : (
          <ul class="entries">
            {users.map((user) => (
              <li>
                <div>
                  <strong>{user.name}</strong>{" "}
                  <span class="meta">
                    {user.scopes.join(", ")}
                    {user.isSelf && " · you"}
                  </span>
                  <p class="meta">
                    Since <Moment iso={user.created} /> ·{" "}
                    {user.signedIn ? (
                      <>
                        signed in <Moment iso={user.signedIn} />
                      </>
                    ) : (
                      "has not signed in yet"
                    )}
                  </p>
                </div>
                {!user.isSelf && (
                  <div class="deeds">
                    <Sure
                      view={view}
                      action={user.scopesHref}
                      label="Rights"
                      question={`These hold for ${user.name} from the next click on.`}
                      button={`Change the rights of ${user.name}`}
                    >
                      <ScopeFields view={{ ...view, typedScopes: user.scopes }} />
                    </Sure>
                    <Sure
                      view={view}
                      action={user.passwordHref}
                      label="New password"
                      question={`${user.name} is signed out everywhere and gets a new password, which you hand over.`}
                      button={`Make a new password for ${user.name}`}
                    />
                    <Sure
                      view={view}
                      action={user.removeHref}
                      label="Remove"
                      question={`${user.name} is signed out everywhere and can't sign in any more. Files stay.`}
                      button={`Remove ${user.name}`}
                    />
                  </div>
                )}
              </li>
            ))}
          </ul>
        )}
      </section>
    </AdminPage>
  );
}
