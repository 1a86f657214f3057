import type { StorageName } from "../domain.ts";

/** What a comparison of storage, catalog and journal can find. The names are part of `--json`. */
export const FINDING_KINDS = [
  "missing_object",
  "orphan_object",
  "size_differs",
  "checksum_differs",
  "unfinished_upload",
  "stale_intent",
  "missing_mark",
  "stale_mark",
  "foreign_object",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** The keys are part of `--json`. */
export interface Finding {
  kind: FindingKind;
  storage: StorageName;
  bucket: string;
  key: string;
  /** Of the row, or as the object's key or user metadata tells. */
  uid?: string;
  file_id?: number;
  filename?: string;
  /** What the catalog says, and what storage has. */
  size_bytes?: number;
  found_bytes?: number;
  checksum_sha256?: string;
  found_sha256?: string;
  /** Of an unfinished multipart upload. */
  upload_id?: string;
  /** One sentence for people, the key not repeated. */
  detail: string;
}

/** What became of a finding. */
export const ACTIONS = [
  /** Nothing was to be done about it, or nothing was asked for. */
  "none",
  "brought_back",
  "row_removed",
  "quarantined",
  "aborted",
  "mark_written",
  /** Finished or undone by recovery, as the next start of a server would. */
  "settled",
  /** Not done, because there are suspiciously many of this kind. */
  "held_back",
  "failed",
] as const;
export type Action = (typeof ACTIONS)[number];

export interface Outcome {
  action: Action;
  /** One sentence, or empty for `none`. */
  message: string;
  /** An object more in quarantine, or one less. */
  quarantine?: 1 | -1;
}
