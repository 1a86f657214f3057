/** @jsxImportSource hono/jsx */
import type { FileView, ListView, Site } from "../props.ts";
import { Bytes } from "./bytes.tsx";
import { Moment } from "./moment.tsx";
import { Thumb } from "./thumb.tsx";

const bulkFormId = "delete-many";

/** One page of files with its sort links; takes its own place when htmx asks for another page or search. */
export function FilesTable({ site, list }: { site: Site; list: ListView }) {
  let { files, nextHref, firstHref } = list;
  let narrowed = list.search !== "" || list.kind !== "" || list.contentType !== "";
  return (
    <div id="files">
      {files.length === 0 ? (
        <p class="card empty">{narrowed ? "No file fits." : "There are no files yet."}</p>
      ) : (
        <Table site={site} list={list} />
      )}
      <div class="row-of-two below">
        {site.may.delete && files.length > 0 ? <BulkForm action={site.links.deleteMany} /> : <span></span>}
        <nav class="actions" aria-label="Pages">
          {files.length > 0 && <a href={list.csvHref}>Download the list (CSV)</a>}
          {firstHref && <a href={firstHref}>First page</a>}
          {nextHref && (
            <a class="button quiet" href={nextHref} rel="next">
              Next page
            </a>
          )}
        </nav>
      </div>
    </div>
  );
}

function Table({ site, list }: { site: Site; list: ListView }) {
  return (
    <div class="card wide">
      <table class="files">
        <caption class="unseen">Files</caption>
        <thead>
          <tr>
            {site.may.delete && (
              <th scope="col" class="pick">
                <span class="unseen">Select</span>
              </th>
            )}
            <SortHeader list={list} column="filename" label="Name" />
            <SortHeader list={list} column="content_type" label="Type" />
            <SortHeader list={list} column="size_bytes" label="Size" numeric />
            <SortHeader list={list} column="created_at" label="Received" />
            <th scope="col">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {list.files.map((file) => (
            <FileRow file={file} mayDelete={site.may.delete} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface SortHeaderProps {
  list: ListView;
  column: string;
  label: string;
  numeric?: boolean;
}

function SortHeader({ list: { sort, sortHrefs }, column, label, numeric = false }: SortHeaderProps) {
  // Ids are given in the order of arrival, so the usual order is the newest first.
  let active = sort.column === column || (sort.column === "id" && column === "created_at");
  let direction = sort.descending ? ("descending" as const) : ("ascending" as const);
  return (
    <th scope="col" class={numeric ? "number" : undefined} aria-sort={active ? direction : undefined}>
      <a href={sortHrefs[column] ?? ""}>
        {label}
        {active && <span aria-hidden="true">{sort.descending ? " ↓" : " ↑"}</span>}
      </a>
    </th>
  );
}

function FileRow({ file, mayDelete }: { file: FileView; mayDelete: boolean }) {
  let { record, links } = file;
  return (
    <tr id={`file-${record.id}`}>
      {mayDelete && (
        <td class="pick">
          <input
            type="checkbox"
            name="id"
            value={String(record.id)}
            form={bulkFormId}
            aria-label={`Select ${record.filename}`}
          />
        </td>
      )}
      <td class="name">
        <Thumb file={file} />
        <a class="filename" href={links.page} dir="auto">
          {record.filename}
        </a>
      </td>
      <td class="type">{record.content_type}</td>
      <td class="number">
        <Bytes value={record.size_bytes} />
      </td>
      <td class="date">
        <Moment iso={record.created_at} />
      </td>
      <td class="row-actions">
        <a class="button quiet small" href={links.download} aria-label={`Download ${record.filename}`}>
          Download
        </a>
        {mayDelete && <DeleteButton file={file} />}
      </td>
    </tr>
  );
}

function DeleteButton({ file: { record, links } }: { file: FileView }) {
  return (
    <form
      method="post"
      action={links.delete}
      hx-post={links.delete}
      hx-target="closest tr"
      hx-swap="outerHTML"
      hx-confirm={`Delete “${record.filename}”? This can't be undone.`}
    >
      <button class="quiet small danger" type="submit" aria-label={`Delete ${record.filename}`}>
        Delete
      </button>
    </form>
  );
}

function BulkForm({ action }: { action: string }) {
  return (
    <form
      id={bulkFormId}
      method="post"
      action={action}
      hx-post={action}
      hx-target="#notices"
      hx-swap="innerHTML"
      hx-confirm="Delete the selected files? This can't be undone."
    >
      <button class="quiet danger" type="submit">
        Delete selected
      </button>
    </form>
  );
}
