/** What Datasette, and the description for programs, tell of each column of the table. The names carry the units. */
export const COLUMN_DESCRIPTIONS = {
  id: "Number of the file; never given to another one",
  uid: "Identifier that the file also has in the bucket; a UUIDv7",
  filename: "Name that the sender gave it, made safe to show",
  storage: "Where the bytes are: s3 or local",
  bucket: "Bucket that holds the bytes",
  s3_key: "Key of the bytes in the bucket; has nothing of the name in it",
  content_type: "Media type, found in the bytes and not believed from the sender",
  kind: "image, video, audio, document, archive, text or other",
  size_bytes: "Size in bytes",
  checksum_sha256: "SHA-256 of the bytes, 64 hex digits; the same sum means the same content",
  width: "Width in pixels, as displayed",
  height: "Height in pixels, as displayed",
  taken_at:
    "When it was taken, as the camera wrote it: ISO 8601, local time, with an offset where the file tells one",
  latitude: "Latitude of the camera in degrees, WGS 84",
  longitude: "Longitude of the camera in degrees, WGS 84",
  metadata_json:
    "What else the file tells about itself, as JSON: camera, exposure, stored size, the type that the sender declared",
  created_at: "When the file arrived: ISO 8601, UTC",
  created_date: "Day on which the file arrived, UTC",
} as const;

export type ColumnName = keyof typeof COLUMN_DESCRIPTIONS;

/**
 * Descriptions of a view's columns, in its order: those of the table by their names, others as they are given. Always a new
 * object, so that YAML writes no aliases.
 */
export function describeColumns(
  ...columns: (ColumnName | Readonly<Record<string, string>>)[]
): Record<string, string> {
  return Object.assign(
    {},
    ...columns.map((column) =>
      typeof column === "string" ? { [column]: COLUMN_DESCRIPTIONS[column] } : column,
    ),
  );
}
