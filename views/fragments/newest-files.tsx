/** @jsxImportSource hono/jsx */
import type { FileView } from "../props.ts";
import { Bytes } from "./bytes.tsx";
import { Moment } from "./moment.tsx";
import { Thumb } from "./thumb.tsx";

/** The last few files; asks for itself again when an upload has changed them. */
export function NewestFiles({
  files,
  homeHref,
  filesHref,
}: {
  files: FileView[];
  homeHref: string;
  filesHref: string;
}) {
  return (
    <section
      id="newest"
      class="card"
      aria-labelledby="newest-title"
      hx-get={homeHref}
      hx-trigger="filesChanged from:body"
      hx-select="#newest"
      hx-target="this"
      hx-swap="outerHTML"
    >
      <div class="row-of-two">
        <h2 id="newest-title">Newest files</h2>
        <a href={filesHref}>All files</a>
      </div>
      {files.length === 0 ? (
        <p class="empty">Nothing here yet. The first file you send will appear here.</p>
      ) : (
        <ul class="file-list">
          {files.map((file) => (
            <li>
              <Thumb file={file} />
              <a class="filename" href={file.links.page} dir="auto">
                {file.record.filename}
              </a>
              <span class="meta">
                <Bytes value={file.record.size_bytes} /> · {file.record.content_type} ·{" "}
                <Moment iso={file.record.created_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
