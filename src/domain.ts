/** The nouns of the product. This file imports nothing of ours. */

/** Any value that survives JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** What people call the file; a facet in the catalog. */
export const FILE_KINDS = ["image", "video", "audio", "document", "archive", "text", "other"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** Which storage holds an object. A row keeps it, so that it stays readable when the configuration changes. */
export type StorageName = "s3" | "local";

/**
 * A byte stream that is pulled: nobody reads ahead of the consumer. A chunk is valid until the next one is asked for, then
 * its memory may be given back; who needs its bytes for longer copies them.
 */
export type ByteStream = AsyncIterable<Uint8Array>;

/** One row of the catalog; the keys are the table's columns, `metadata` stands for `metadata_json`. */
export interface FileRecord {
  id: number;
  /** UUIDv7 of the upload's intent. */
  uid: string;
  /** As the sender named it, made safe to show. */
  filename: string;
  storage: StorageName;
  bucket: string;
  /** `{prefix}{yyyy}/{mm}/{uid}.{ext}`: no user text; of an object that was adopted its own key, which may be any text. */
  s3_key: string;
  /** Found in the bytes. */
  content_type: string;
  kind: FileKind;
  size_bytes: number;
  /** 64 lower-case hex digits. */
  checksum_sha256: string;
  /** Pixels as displayed, after rotation. */
  width: number | null;
  height: number | null;
  /** ISO 8601 as the camera wrote it; an offset only when the file tells one. */
  taken_at: string | null;
  /** Decimal degrees, WGS 84. */
  latitude: number | null;
  longitude: number | null;
  metadata: JsonObject;
  /** ISO 8601, UTC. */
  created_at: string;
  /** The day of `created_at`. */
  created_date: string;
}

/** A row before the catalog has given it an id. */
export type NewFileRecord = Omit<FileRecord, "id">;

/** One file as it arrives, whichever way in it took. */
export interface IncomingFile {
  /** The sender's name made safe to show (see parse/filename.ts); never part of a path or key. */
  filename: string;
  /** The Content-Type the sender gave for this file, lower-case and without parameters; null when none. */
  declaredType: string | null;
  /** Exact length when the sender declared one for this file alone, else null. */
  declaredBytes: number | null;
  /** Most bytes the file can have as far as the request tells (a form's Content-Length); null when unknown. */
  mostBytes: number | null;
  /** Has to be read to its end, or given up, before the next file of the request is pulled. */
  body: ByteStream;
}

/** What the bytes turned out to be. */
export interface MediaType {
  /** Without parameters, lower-case; `application/octet-stream` when nothing was recognised. */
  contentType: string;
  /** Usual extension of that type, without the dot; `bin` when nothing was recognised. */
  extension: string;
  kind: FileKind;
}

/** What inspection found out about one file; never fails, absent facts are null. */
export interface FileMetadata {
  /** Pixels as displayed. */
  width: number | null;
  height: number | null;
  taken_at: string | null;
  latitude: number | null;
  longitude: number | null;
  /** Bounded plain JSON for `metadata_json`: `stored_width`, `stored_height`, `orientation`, `make`, `model`, `exif`, … */
  metadata: JsonObject;
}

/** Who is behind a change, for the audit log. Never in the catalog. */
export interface Requester {
  /** As the audit log shows it; null: nobody in particular. */
  actor: string | null;
  address: string | null;
  requestId: string | null;
}

/** What happens when the same bytes arrive again. */
export type DuplicatePolicy = "store" | "link" | "reject";
