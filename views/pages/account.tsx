/** @jsxImportSource hono/jsx */
import { FormToken } from "../fragments/admin-page.tsx";
import { Layout } from "../layout.tsx";
import type { Site } from "../props.ts";

export interface AccountPageProps {
  site: Site;
  formToken: string;
  /** `ann`, or the name of the token. */
  name: string;
  scopes: readonly string[];
  /** Whether there is a password to change: a token has none. */
  hasPassword: boolean;
  problem: string | null;
  done: string | null;
}

export function AccountPage({ site, formToken, name, scopes, hasPassword, problem, done }: AccountPageProps) {
  let { account } = site.links;
  let view = { formToken };
  return (
    <Layout site={site} title="Account" here="account">
      <h1>Account</h1>
      {problem !== null && (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
      {done !== null && (
        <p class="notice good" role="status">
          {done}
        </p>
      )}
      <p>
        You are signed in {hasPassword ? "as" : "with the token"} <strong>{name}</strong> and may{" "}
        {scopes.includes("admin") ? "do everything" : scopes.join(", ")}.
      </p>
      {hasPassword && (
        <section class="card narrow" aria-labelledby="password-title">
          <h2 id="password-title">Change your password</h2>
          <form method="post" action={`${account}/password`} class="admin-form">
            <FormToken view={view} />
            <input type="text" name="name" value={name} autocomplete="username" hidden readonly />
            <p class="admin-field">
              <label for="current">Current password</label>
              <input id="current" name="current" type="password" autocomplete="current-password" required />
            </p>
            <p class="admin-field">
              <label for="password">New password</label>
              <input
                id="password"
                name="password"
                type="password"
                autocomplete="new-password"
                minlength={10}
                required
                aria-describedby="password-hint"
              />
              <span id="password-hint" class="meta">
                At least 10 characters. It signs you out everywhere else.
              </span>
            </p>
            <p>
              <button type="submit">Change it</button>
            </p>
          </form>
        </section>
      )}
      <section class="card narrow" aria-labelledby="everywhere-title">
        <h2 id="everywhere-title">Sign out everywhere</h2>
        <p class="meta">
          Ends {hasPassword ? "your" : "this token’s"} sign-ins in all browsers, this one too.
        </p>
        <form method="post" action={`${account}/sign-out-everywhere`}>
          <FormToken view={view} />
          <button class="quiet" type="submit">
            Sign out everywhere
          </button>
        </form>
      </section>
    </Layout>
  );
}
