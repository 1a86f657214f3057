/** @jsxImportSource hono/jsx */
import type { OutcomeView, UndoView } from "../props.ts";
import { Failures } from "./failures.tsx";
import { UndoNotice } from "./undo-notice.tsx";

type DeletedProps = OutcomeView & { undo: UndoView; restoreHref: string };

/** For htmx: the notice, and orders to remove the rows that are gone. */
export function DeletedFragment(props: DeletedProps) {
  return (
    <>
      <DeletedSummary {...props} />
      {props.done.map((id) => (
        <hx-partial hx-target={`#file-${id}`} hx-swap="delete"></hx-partial>
      ))}
    </>
  );
}

export function DeletedSummary({ failed, undo, restoreHref }: DeletedProps) {
  return (
    <>
      <UndoNotice undo={undo} restoreHref={restoreHref} />
      {failed.length > 0 && <Failures title="These were not deleted:" failed={failed} />}
    </>
  );
}
