/** @jsxImportSource hono/jsx */
import type { FileView } from "../props.ts";
import { Icon } from "./icons.tsx";
import { bulkFormId } from "./selection-bar.tsx";

/** The form of every file's own delete button. */
export const deleteFormId = "delete-one";

/** What can be done with one file of a list. */
export function FileActions({ file: { record, links }, mayDelete }: { file: FileView; mayDelete: boolean }) {
  let { filename } = record;
  return (
    <>
      <a
        class="icon-button"
        href={links.download}
        download={filename}
        title="Download"
        aria-label={`Download ${filename}`}
      >
        <Icon name="download" />
      </a>
      <button
        class="icon-button needs-script"
        type="button"
        data-copy={links.page}
        title="Copy link"
        aria-label={`Copy link to ${filename}`}
      >
        <Icon name="link" />
      </button>
      {mayDelete && (
        <button
          class="icon-button danger"
          type="submit"
          form={deleteFormId}
          formaction={links.delete}
          hx-post={links.delete}
          hx-target="#undo"
          title="Delete"
          aria-label={`Delete ${filename}`}
        >
          <Icon name="bin" />
        </button>
      )}
    </>
  );
}

export function PickFile({ file: { record } }: { file: FileView }) {
  return (
    <input
      type="checkbox"
      name="id"
      value={String(record.id)}
      form={bulkFormId}
      autocomplete="off"
      aria-label={`Select ${record.filename}`}
    />
  );
}
