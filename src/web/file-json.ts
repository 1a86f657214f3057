import type { FileRecord } from "../domain.ts";
import type { Links } from "./links.ts";

/** A row as programs get it: the table's columns with `metadata` as an object, and where to download it. */
export type FileJson = FileRecord & { url: string };

export function fileJson(record: FileRecord, links: Links): FileJson {
  return { ...record, url: links.absolute(links.ofFile(record.id).download) };
}
