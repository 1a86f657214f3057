import type { FileMetadata, JsonObject, MediaType, NewFileRecord, StorageName } from "./domain.ts";

/** What is known of a file once its bytes are in storage and inspected. */
export interface StoredFacts {
  facts: FileMetadata;
  media: MediaType;
  /** The sender's word; null when there was none. */
  declaredType: string | null;
  /** How content disagrees with name or declared type; null when it does not. */
  mismatch: JsonObject | null;
  uid: string;
  filename: string;
  storage: StorageName;
  bucket: string;
  key: string;
  sizeBytes: number;
  sha256: string;
  /** ISO 8601, UTC. */
  createdAt: string;
}

/** The row of a file, the same whether it is uploaded or found again by an import. */
export function newRow(stored: StoredFacts): NewFileRecord {
  let { facts, media, declaredType, mismatch, createdAt } = stored;
  let metadata = { ...facts.metadata };
  if (declaredType !== null) metadata["declared_type"] = declaredType;
  if (mismatch) metadata["mismatch"] = mismatch;
  return {
    ...facts,
    metadata,
    uid: stored.uid,
    filename: stored.filename,
    storage: stored.storage,
    bucket: stored.bucket,
    s3_key: stored.key,
    content_type: media.contentType,
    kind: media.kind,
    size_bytes: stored.sizeBytes,
    checksum_sha256: stored.sha256,
    created_at: createdAt,
    created_date: createdAt.slice(0, 10),
  };
}
