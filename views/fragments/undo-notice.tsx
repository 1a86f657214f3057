/** @jsxImportSource hono/jsx */
import type { UndoView } from "../props.ts";
import { ListField } from "./list-field.tsx";

/** Says what was deleted, and offers to undo it. Its seconds are counted down by the page's script, if there is one. */
export function UndoNotice({ undo, restoreHref }: { undo: UndoView; restoreHref: string }) {
  let count = undo.fileIds.length;
  return (
    <section class="notice undo" data-seconds={undo.secondsLeft}>
      <p>{count === 1 ? "1 file deleted." : `${count} files deleted.`}</p>
      <form method="post" action={restoreHref} hx-post={restoreHref} hx-target="#undo" hx-swap="innerHTML">
        {undo.fileIds.map((id) => (
          <input type="hidden" name="id" value={String(id)} />
        ))}
        <ListField listHref={undo.listHref} />
        <button class="small" type="submit">
          Undo
        </button>{" "}
        <span class="meta">
          possible for{" "}
          <span class="seconds" aria-live="off">
            {undo.secondsLeft}
          </span>{" "}
          seconds
        </span>
      </form>
    </section>
  );
}
