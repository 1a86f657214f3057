/** @jsxImportSource hono/jsx */
import type { FileView } from "../props.ts";

/** What kind of file it is, at a glance. */
export function Thumb({ file }: { file: FileView }) {
  return (
    <span class={`thumb ${file.record.kind}`} aria-hidden="true">
      {extensionOf(file.record.s3_key)}
    </span>
  );
}

/** The key ends in the usual extension of the type that was found. */
function extensionOf(s3Key: string): string {
  return s3Key.slice(s3Key.lastIndexOf(".") + 1).slice(0, 4);
}
