/** @jsxImportSource hono/jsx */
import type { FileView, ListView } from "../props.ts";
import { Bytes } from "./bytes.tsx";
import { FileActions, PickFile } from "./file-actions.tsx";
import { Moment } from "./moment.tsx";
import { swapsList } from "./swap-link.tsx";
import { Thumb } from "./thumb.tsx";

/** What a list can be sorted by, in the order of the table. */
export const columns = [
  { column: "filename", label: "Name" },
  { column: "content_type", label: "Type" },
  { column: "size_bytes", label: "Size" },
  { column: "created_at", label: "Received" },
];

export function FilesTable({ list, mayDelete }: { list: ListView; mayDelete: boolean }) {
  return (
    <div class="card wide">
      <table class="files">
        <caption class="unseen">Files</caption>
        <thead>
          <tr>
            {mayDelete && (
              <th scope="col" class="pick">
                <input
                  id="pick-all"
                  class="needs-script"
                  type="checkbox"
                  autocomplete="off"
                  aria-label="Select all on this page"
                />
              </th>
            )}
            {columns.map((column) => (
              <SortHeader list={list} {...column} />
            ))}
            <th scope="col">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {list.files.map((file) => (
            <FileRow file={file} mayDelete={mayDelete} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SortHeader({ list, column, label }: { list: ListView; column: string; label: string }) {
  let { sort, sortHrefs } = list;
  // Ids are given in the order of arrival, so the usual order is the newest first.
  let isActive = sort.column === column || (sort.column === "id" && column === "created_at");
  let direction = sort.descending ? ("descending" as const) : ("ascending" as const);
  let kind = column === "size_bytes" ? "number" : undefined;
  return (
    <th scope="col" class={kind} aria-sort={isActive ? direction : undefined}>
      <a id={`head-${column}`} {...swapsList(sortHrefs[column] ?? "")}>
        {label}
        <span class="arrow" aria-hidden="true">
          {isActive ? (sort.descending ? "↓" : "↑") : ""}
        </span>
      </a>
    </th>
  );
}

function FileRow({ file, mayDelete }: { file: FileView; mayDelete: boolean }) {
  let { record, links } = file;
  return (
    <tr id={`file-${record.id}`} class="file">
      {mayDelete && (
        <td class="pick">
          <PickFile file={file} />
        </td>
      )}
      <td class="name">
        <div>
          <Thumb file={file} />
          <a class="filename" href={links.page} dir="auto" title={record.filename}>
            {record.filename}
          </a>
        </div>
      </td>
      <td class="type" title={record.content_type}>
        {record.content_type}
      </td>
      <td class="number">
        <Bytes value={record.size_bytes} />
      </td>
      <td class="date">
        <Moment iso={record.created_at} />
      </td>
      <td class="row-actions">
        <FileActions file={file} mayDelete={mayDelete} />
      </td>
    </tr>
  );
}
