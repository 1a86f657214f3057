/** @jsxImportSource hono/jsx */
import type { OutcomeView } from "../props.ts";

/** The files of a request that it was not done for, and why. */
export function Failures({ title, failed }: { title: string; failed: OutcomeView["failed"] }) {
  return (
    <section class="notice bad">
      <p>{title}</p>
      <ul>
        {failed.map(({ id, error }) => (
          <li>
            File {id}: {error.message}
          </li>
        ))}
      </ul>
    </section>
  );
}
