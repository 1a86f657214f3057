/** @jsxImportSource hono/jsx */
import { ListField } from "./list-field.tsx";

/** The form of all checkboxes of the list. */
export const bulkFormId = "delete-many";

/** What can be done with the selected files. Without scripts the count is missing, and the form asks on a page of its own. */
export function SelectionBar({ action, listHref }: { action: string; listHref: string }) {
  return (
    <form
      id={bulkFormId}
      class="selection"
      method="post"
      action={action}
      hx-post={action}
      hx-target="#undo"
      hx-swap="innerHTML"
    >
      <ListField listHref={listHref} />
      <p id="selected" class="meta" role="status">
        Select files to delete several at once.
      </p>
      <button class="quiet small needs-script" type="button" data-select="all">
        Select all on this page
      </button>
      <button class="quiet small needs-script" type="button" data-select="none">
        Clear
      </button>
      <button class="quiet small danger" type="submit">
        Delete selected
      </button>
    </form>
  );
}
