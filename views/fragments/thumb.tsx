/** @jsxImportSource hono/jsx */
import type { FileView } from "../props.ts";

/** What kind of file it is, at a glance: a picture of it over its extension, which is seen as long as there is none. */
export function Thumb({ file: { record, links, hasThumbnail } }: { file: FileView }) {
  return (
    <span class={`thumb ${record.kind}`} aria-hidden="true">
      <span>{extensionOf(record.s3_key)}</span>
      {hasThumbnail && <img src={links.thumbnail} alt="" loading="lazy" decoding="async" />}
    </span>
  );
}

/** The key ends in the usual extension of the type that was found; that of an adopted object may have none. */
function extensionOf(s3Key: string): string {
  return /\.([^./]{1,16})$/.exec(s3Key)?.[1]?.slice(0, 4) ?? "";
}
