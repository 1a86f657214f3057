import type { FileView } from "../../views/props.ts";
import type { FileRecord } from "../domain.ts";
import { drawingOf } from "../preview/drawing.ts";
import { previewOf } from "./inline-types.ts";
import type { Links } from "./links.ts";

/** A row as pages show it. */
export function fileView(record: FileRecord, links: Links): FileView {
  return {
    record,
    links: links.ofFile(record.id),
    hasThumbnail: drawingOf(record) !== null,
    preview: previewOf(record),
  };
}
