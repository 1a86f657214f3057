import type { DuplicatePolicy, FileRecord, JsonObject, MediaType, NewFileRecord } from "./domain.ts";
import type { ByteSource } from "./inspect/byte-source.ts";
import { extractMetadata } from "./inspect/extract-metadata.ts";
import type { FetchRange } from "./inspect/fetched-pages.ts";
import type { Log } from "./log.ts";
import type { FileRepository } from "./record/file-repository.ts";
import type { Recovery } from "./recover.ts";
import type { Journal } from "./state/journal.ts";
import type { Storage } from "./store/storage.ts";

/** A file that is in storage, whichever way it came. */
export interface StoredUpload {
  uid: string;
  key: string;
  filename: string;
  declaredType: string | null;
  media: MediaType;
  /** What the policy found to disagree. */
  mismatch: JsonObject | null;
  sizeBytes: number;
  /** 64 hex digits. */
  sha256: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  /** What of it is in memory, and a way to the rest. */
  source: ByteSource;
}

/** The end of every way in: from an object to its row. */
export interface RecordUpload {
  /** The row that a stored file gets. */
  describe(stored: StoredUpload, storage: Pick<Storage, "name" | "bucket">): Promise<NewFileRecord>;
  /**
   * Makes the row and closes the intent; the object of a row that shares an older one's is taken back. When it rejects,
   * the caller takes the upload back.
   */
  record(row: NewFileRecord, log: Log): Promise<{ record: FileRecord; duplicateOf: number | null }>;
}

export interface RecordUploadDeps {
  repository: FileRepository;
  journal: Journal;
  recovery: Pick<Recovery, "undoUpload">;
  options: { duplicates: DuplicatePolicy; keepPosition: boolean };
}

export function createRecordUpload({
  repository,
  journal,
  recovery,
  options,
}: RecordUploadDeps): RecordUpload {
  return {
    async describe(stored, { name, bucket }) {
      let { media, declaredType, mismatch, createdAt } = stored;
      let facts = await extractMetadata(stored.source, media, { keepPosition: options.keepPosition });
      let metadata = { ...facts.metadata };
      if (declaredType !== null) metadata["declared_type"] = declaredType;
      if (mismatch) metadata["mismatch"] = mismatch;
      return {
        ...facts,
        metadata,
        uid: stored.uid,
        filename: stored.filename,
        storage: name,
        bucket,
        s3_key: stored.key,
        content_type: media.contentType,
        kind: media.kind,
        size_bytes: stored.sizeBytes,
        checksum_sha256: stored.sha256,
        created_at: createdAt,
        created_date: createdAt.slice(0, 10),
      };
    },

    async record(row, log) {
      let { record, duplicateOf, linked } = await repository.create(row, options.duplicates);
      if (linked) await recovery.undoUpload(row.uid);
      else journal.closeUpload(row.uid);
      log.info(
        { id: record.id, uid: row.uid, bytes: row.size_bytes, type: row.content_type },
        "file recorded",
      );
      return { record, duplicateOf };
    },
  };
}

/** Reads pieces of a stored object, for facts that are neither in its head nor in its tail. */
export function rangeReader(storage: Storage, key: string): FetchRange {
  return async (offset, length) => {
    let { body } = await storage.open(key, { first: offset, last: offset + length - 1 });
    return new Uint8Array(await new Response(body).arrayBuffer());
  };
}
