/** @jsxImportSource hono/jsx */
import type { OutcomeView } from "../props.ts";
import { Failures } from "./failures.tsx";

/** What an undo brought back. */
export function RestoredFragment({ done, failed }: OutcomeView) {
  return (
    <>
      <section class="notice good restored" data-restored={done.join(" ")}>
        <p>{done.length === 1 ? "1 file is back." : `${done.length} files are back.`}</p>
      </section>
      {failed.length > 0 && <Failures title="These are not:" failed={failed} />}
    </>
  );
}
