/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";

import { Layout } from "../layout.tsx";
import type { AdminView, MadeView, Site } from "../props.ts";

const parts = [
  ["tokens", "Tokens"],
  ["users", "Users"],
  ["invitations", "Invitations"],
] as const;

export type AdminPart = (typeof parts)[number][0];

/** The frame of the pages on which rights are given and taken. */
export function AdminPage({
  site,
  part,
  view,
  children,
}: {
  site: Site;
  part: AdminPart;
  view: AdminView;
  children?: Child;
}) {
  let title = parts.find(([name]) => name === part)?.[1] ?? "";
  return (
    <Layout site={site} title={title} here="admin">
      <nav class="parts" aria-label="Administration">
        {parts.map(([name, label]) => (
          <a href={site.links.admin[name]} aria-current={name === part ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <h1>{title}</h1>
      {view.problem !== null && (
        <p class="notice bad" role="alert">
          {view.problem}
        </p>
      )}
      {view.made && <Made made={view.made} />}
      {children}
    </Layout>
  );
}

function Made({ made }: { made: MadeView }) {
  return (
    <section class="notice good made" aria-labelledby="made">
      <h2 id="made">{made.what} is ready</h2>
      <p>
        <label for="secret">{made.label}</label>
        <input id="secret" readonly autofocus value={made.secret} autocomplete="off" spellcheck={false} />
      </p>
      <p class="meta">Shown this once. {made.hint}</p>
    </section>
  );
}

export function FormToken({ view }: { view: Pick<AdminView, "formToken"> }) {
  return <input type="hidden" name="form_token" value={view.formToken} />;
}

/** What somebody is to be allowed; each with a word of what it means. */
export function ScopeFields({ view }: { view: AdminView }) {
  let scopes = [
    ["upload", "send files"],
    ["view", "see and download files"],
    ["delete", "delete files"],
    ["admin", "everything, these pages too"],
  ] as const;
  return (
    <fieldset>
      <legend>May</legend>
      {scopes.map(([scope, meaning]) => (
        <label class="check">
          <input type="checkbox" name="scope" value={scope} checked={view.typedScopes.includes(scope)} />
          <span>
            {scope} <span class="meta">{meaning}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function Field({
  name,
  label,
  view,
  hint,
  ...input
}: {
  name: string;
  label: string;
  view: AdminView;
  hint?: string;
  [attribute: string]: unknown;
}) {
  return (
    <p class="admin-field">
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        value={view.typed[name]}
        aria-describedby={hint === undefined ? undefined : `${name}-hint`}
        {...input}
      />
      {hint !== undefined && (
        <span id={`${name}-hint`} class="meta">
          {hint}
        </span>
      )}
    </p>
  );
}

/** How long something is good. */
export function Expiry({
  view,
  choices,
}: {
  view: AdminView;
  choices: readonly (readonly [string, string])[];
}) {
  return (
    <p class="admin-field">
      <label for="expires">Good for</label>
      <select id="expires" name="expires">
        {choices.map(([value, label]) => (
          <option value={value} selected={view.typed["expires"] === value}>
            {label}
          </option>
        ))}
      </select>
    </p>
  );
}

/** A deed that can't be undone, or that asks for more: opened first, then done. Works without scripts. */
export function Sure({
  view,
  action,
  label,
  question,
  button,
  children,
}: {
  view: AdminView;
  action: string;
  label: string;
  question: string;
  button: string;
  /** What has to be filled in; then it can be done again in another way, and is no danger. */
  children?: Child;
}) {
  return (
    <details class="sure">
      <summary class="button quiet small">{label}</summary>
      <form method="post" action={action}>
        <FormToken view={view} />
        <p>{question}</p>
        {children}
        <button class={children === undefined ? "danger small" : "small"} type="submit">
          {button}
        </button>
      </form>
    </details>
  );
}
