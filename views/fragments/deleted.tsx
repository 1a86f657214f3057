/** @jsxImportSource hono/jsx */
import type { DeletionView } from "../props.ts";

/** For htmx: the notice, and orders to remove the rows that are gone. */
export function DeletedFragment(view: DeletionView) {
  return (
    <>
      <DeletedSummary {...view} />
      {view.deleted.map((id) => (
        <hx-partial hx-target={`#file-${id}`} hx-swap="delete"></hx-partial>
      ))}
    </>
  );
}

export function DeletedSummary({ deleted, failed }: DeletionView) {
  return (
    <section class={failed.length === 0 ? "notice good" : "notice bad"}>
      <p>
        {deleted.length} {deleted.length === 1 ? "file" : "files"} deleted.
        {failed.length > 0 && " These were not:"}
      </p>
      {failed.length > 0 && (
        <ul>
          {failed.map(({ id, error }) => (
            <li>
              File {id}: {error.message}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
