/** @jsxImportSource hono/jsx */
import type { FileView } from "../props.ts";
import { Bytes } from "./bytes.tsx";
import { FileActions, PickFile } from "./file-actions.tsx";
import { Moment } from "./moment.tsx";
import { Thumb } from "./thumb.tsx";

export function FilesGrid({ files, mayDelete }: { files: FileView[]; mayDelete: boolean }) {
  return (
    <ul class="grid">
      {files.map((file) => (
        <Tile file={file} mayDelete={mayDelete} />
      ))}
    </ul>
  );
}

function Tile({ file, mayDelete }: { file: FileView; mayDelete: boolean }) {
  let { record, links } = file;
  return (
    <li id={`file-${record.id}`} class="file">
      {mayDelete && (
        <span class="pick">
          <PickFile file={file} />
        </span>
      )}
      <a class="picture" href={links.page} tabindex={-1} aria-hidden="true">
        <Thumb file={file} />
      </a>
      <a class="filename" href={links.page} dir="auto" title={record.filename}>
        {record.filename}
      </a>
      <p class="meta">
        <Bytes value={record.size_bytes} /> · <Moment iso={record.created_at} />
      </p>
      <div class="row-actions">
        <FileActions file={file} mayDelete={mayDelete} />
      </div>
    </li>
  );
}
