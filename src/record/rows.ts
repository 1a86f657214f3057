import type { FileRecord, JsonObject, NewFileRecord } from "../domain.ts";

/** A row as SQLite gives it. */
export interface FileRow extends Omit<FileRecord, "metadata"> {
  metadata_json: string;
}

/** The table's columns but for `id`. */
export const rowColumns = [
  "uid",
  "filename",
  "storage",
  "bucket",
  "s3_key",
  "content_type",
  "kind",
  "size_bytes",
  "checksum_sha256",
  "width",
  "height",
  "taken_at",
  "latitude",
  "longitude",
  "metadata_json",
  "created_at",
  "created_date",
] as const satisfies readonly (keyof FileRow)[];

export function toRecord(row: FileRow): FileRecord {
  let { metadata_json, created_at, created_date, ...columns } = row;
  // Only this program writes the column, and a CHECK holds that it is an object.
  let metadata = JSON.parse(metadata_json) as JsonObject;
  return { ...columns, metadata, created_at, created_date };
}

export function toRow(file: NewFileRecord): Omit<FileRow, "id"> {
  let { metadata, ...columns } = file;
  return { ...columns, metadata_json: JSON.stringify(metadata) };
}
