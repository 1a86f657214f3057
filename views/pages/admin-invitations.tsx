/** @jsxImportSource hono/jsx */
import { shortBytes } from "../format.ts";
import { AdminPage, Expiry, Field, FormToken, Sure } from "../fragments/admin-page.tsx";
import { Moment } from "../fragments/moment.tsx";
import type { AdminView, InvitationView, Site } from "../props.ts";

const choices = [
  ["1d", "a day"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
] as const;

export function AdminInvitationsPage({
  site,
  view,
  invitations,
}: {
  site: Site;
  view: AdminView;
  invitations: InvitationView[];
}) {
  return (
    <AdminPage site={site} part="invitations" view={view}>
      <p class="meta">
        A link for people without an account: whoever has it may send files, and see nothing but what became
        of them.
      </p>
      <section class="card" aria-labelledby="new-title">
        <h2 id="new-title">New invitation</h2>
        <form method="post" action={site.links.admin.invitations} class="admin-form">
          <FormToken view={view} />
          <p class="admin-field">
            <label for="note">Note to those who are invited</label>
            <textarea
              id="note"
              name="note"
              rows={3}
              maxlength={500}
              placeholder="Your photos of the fair, please"
            >
              {view.typed["note"] ?? ""}
            </textarea>
          </p>
          <Expiry view={view} choices={choices} />
          <div class="admin-row">
            <Field
              name="max_files"
              label="Most files"
              view={view}
              inputmode="numeric"
              autocomplete="off"
              hint="Empty: any number."
            />
            <Field
              name="max_mb"
              label="Most in all, MiB"
              view={view}
              inputmode="numeric"
              autocomplete="off"
              hint="Empty: any size."
            />
          </div>
          <p>
            <button type="submit">Make the link</button>
          </p>
        </form>
      </section>
      <section class="card" aria-labelledby="all-title">
        <h2 id="all-title">Invitations</h2>
        {invitations.length === 0 ? (
          <p class="empty">There are none.</p>
        ) : (
          <ul class="entries">
            {invitations.map((invitation) => (
              <li>
                <div>
                  <strong>Invitation {invitation.id}</strong> <span class="meta">{invitation.state}</span>
                  {invitation.note !== "" && <p class="note">{invitation.note}</p>}
                  <p class="meta">
                    Made <Moment iso={invitation.created} /> by {invitation.createdBy} ·{" "}
                    {invitation.state === "expired" ? "ended" : "until"} <Moment iso={invitation.expires} /> ·{" "}
                    {files(invitation)}, {bytes(invitation)}
                  </p>
                </div>
                <Sure
                  view={view}
                  action={invitation.revokeHref}
                  label="Revoke"
                  question="The link stops working at once. What was sent stays."
                  button={`Revoke invitation ${invitation.id}`}
                />
              </li>
            ))}
          </ul>
        )}
      </section>
    </AdminPage>
  );
}

function files({ usedFiles, maxFiles }: InvitationView): string {
  if (maxFiles !== null) return `${usedFiles} of ${maxFiles} files`;
  return usedFiles === 1 ? "1 file" : `${usedFiles} files`;
}

function bytes({ usedBytes, maxBytes }: InvitationView): string {
  let used = shortBytes(usedBytes);
  return maxBytes === null ? `${used} sent` : `${used} of ${shortBytes(maxBytes)} sent`;
}
