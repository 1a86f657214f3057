/** @jsxImportSource hono/jsx */
import type { ErrorView } from "../props.ts";

/** What went wrong, with its facts and the number that finds it in the log. */
export function ErrorFragment({ error }: { error: ErrorView }) {
  return (
    <section class="notice bad" role="alert">
      <h2>{error.title}</h2>
      <p>{error.message}</p>
      <ErrorFacts error={error} />
    </section>
  );
}

/** The facts alone, for where the sentence stands already. */
export function ErrorFacts({ error }: { error: ErrorView }) {
  return (
    <dl class="facts small">
      {error.facts.map(({ label, value, title }) => (
        <div>
          <dt>{label}</dt>
          <dd title={title}>{value}</dd>
        </div>
      ))}
      <div>
        <dt>Request</dt>
        <dd>
          <code>{error.requestId}</code>
        </dd>
      </div>
    </dl>
  );
}
