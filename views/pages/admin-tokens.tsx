/** @jsxImportSource hono/jsx */
import { shortBytes } from "../format.ts";
import { AdminPage, Expiry, Field, FormToken, ScopeFields, Sure } from "../fragments/admin-page.tsx";
import { Moment } from "../fragments/moment.tsx";
import type { AdminView, Site, TokenView } from "../props.ts";

const choices = [
  ["", "ever"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["365d", "a year"],
] as const;

export function AdminTokensPage({
  site,
  view,
  tokens,
}: {
  site: Site;
  view: AdminView;
  tokens: TokenView[];
}) {
  return (
    <AdminPage site={site} part="tokens" view={view}>
      <p class="meta">For programs: each sends its own as “Authorization: Bearer …”.</p>
      <section class="card" aria-labelledby="new-title">
        <h2 id="new-title">New token</h2>
        <form method="post" action={site.links.admin.tokens} class="admin-form">
          <FormToken view={view} />
          <Field name="name" label="What it is for" view={view} required maxlength={64} autocomplete="off" />
          <ScopeFields view={view} />
          <Expiry view={view} choices={choices} />
          <details open={Boolean(view.typed["prefix"] || view.typed["max_mb"])}>
            <summary>Limits</summary>
            <Field
              name="prefix"
              label="Prefix"
              view={view}
              maxlength={200}
              autocomplete="off"
              hint="A folder in the bucket, like clients/acme: its files go there, and it sees no others."
            />
            <Field
              name="max_mb"
              label="Most that it may send in all, MiB"
              view={view}
              inputmode="numeric"
              autocomplete="off"
            />
          </details>
          <p>
            <button type="submit">Make the token</button>
          </p>
        </form>
      </section>
      <section class="card" aria-labelledby="all-title">
        <h2 id="all-title">Tokens</h2>
        {tokens.length === 0 ? (
          <p class="empty">There are none.</p>
        ) : (
          <ul class="entries">
            {tokens.map((token) => (
              <li>
                <div>
                  <strong>{token.name}</strong> <span class="meta">{token.scopes.join(", ")}</span>
                  <p class="meta">
                    Made <Moment iso={token.created} /> ·{" "}
                    {token.lastUsed ? (
                      <>
                        used <Moment iso={token.lastUsed} />
                      </>
                    ) : (
                      "never used"
                    )}
                    {token.expires && (
                      <>
                        {" "}
                        · {token.isExpired ? "ended" : "until"} <Moment iso={token.expires} />
                      </>
                    )}
                    {token.folder !== null && (
                      <>
                        {" "}
                        · prefix <code>{token.folder}</code>
                      </>
                    )}
                    {token.maxBytes !== null &&
                      ` · ${shortBytes(token.usedBytes)} of ${shortBytes(token.maxBytes)} sent`}
                  </p>
                </div>
                <Sure
                  view={view}
                  action={token.revokeHref}
                  label="Revoke"
                  question={`“${token.name}” ends at once, with everybody who signed in by it.`}
                  button={`Revoke ${token.name}`}
                />
              </li>
            ))}
          </ul>
        )}
      </section>
    </AdminPage>
  );
}
