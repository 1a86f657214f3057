/** @jsxImportSource hono/jsx */
import type { FileView } from "../props.ts";

/** The file itself, for types that can't run anything. */
export function Preview({ file: { record, links, preview } }: { file: FileView }) {
  switch (preview) {
    case "image":
      return (
        <figure class="preview">
          <a href={links.download}>
            <img
              src={links.download}
              alt={record.filename}
              width={record.width ?? undefined}
              height={record.height ?? undefined}
            />
          </a>
        </figure>
      );
    case "video":
      return (
        <figure class="preview">
          <video src={links.download} controls preload="metadata"></video>
        </figure>
      );
    case "audio":
      return (
        <figure class="preview">
          <audio src={links.download} controls preload="metadata"></audio>
        </figure>
      );
    case null:
      return null;
  }
}
