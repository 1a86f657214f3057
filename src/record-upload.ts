import type { Hold } from "./allowance.ts";
import type {
  DuplicatePolicy,
  FileRecord,
  JsonObject,
  MediaType,
  NewFileRecord,
  Requester,
} from "./domain.ts";
import type { ByteSource } from "./inspect/byte-source.ts";
import { extractMetadata } from "./inspect/extract-metadata.ts";
import type { FetchRange } from "./inspect/fetched-pages.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { newRow } from "./new-row.ts";
import type { FileRepository } from "./record/file-repository.ts";
import { type Recovery, undoPatienceMs } from "./recover.ts";
import { endsWithin } from "./soon.ts";
import { type AuditLog, noAudit } from "./state/audit.ts";
import type { Journal } from "./state/journal.ts";
import { liesApart } from "./store/key-kinds.ts";
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

/** On whose behalf a row is made. */
export interface Sender {
  /** Folder of its own, below which the object lies; null for most. */
  folder: string | null;
  /** What its files are counted with; null: they are not. */
  hold: Hold | null;
  /** For the audit log; null where nobody keeps one. */
  by: Requester | null;
}

/** The end of every way in: from an object to its row. */
export interface RecordUpload {
  /** The row that a stored file gets. */
  describe(stored: StoredUpload, storage: Pick<Storage, "name" | "bucket">): Promise<NewFileRecord>;
  /**
   * Counts the file, makes the row and closes the intent; the object of a row that shares an older one's is taken back.
   * When it rejects, nothing is counted, and the caller takes the upload back.
   */
  record(
    row: NewFileRecord,
    sender: Sender,
    log: Log,
  ): Promise<{ record: FileRecord; duplicateOf: number | null }>;
}

export interface RecordUploadDeps {
  repository: FileRepository;
  journal: Journal;
  recovery: Pick<Recovery, "undoUpload">;
  audit?: AuditLog;
  metrics?: Pick<Metrics, "recorded">;
  options: { duplicates: DuplicatePolicy; keepPosition: boolean };
}

export function createRecordUpload({
  repository,
  journal,
  recovery,
  audit = noAudit,
  metrics,
  options,
}: RecordUploadDeps): RecordUpload {
  return {
    async describe({ source, ...stored }, { name, bucket }) {
      let facts = await extractMetadata(source, stored.media, { keepPosition: options.keepPosition });
      return newRow({ ...stored, facts, storage: name, bucket });
    },

    async record(row, { folder, hold, by }, log) {
      await hold?.charge(row.uid, row.size_bytes);
      // Whose files lie apart shares no object with others, and learns nothing of theirs.
      let duplicates = folder === null ? options.duplicates : "store";
      let { record, duplicateOf, linked } = await repository
        .create(row, duplicates, (older) => !liesApart(older.s3_key))
        .catch((error) => {
          hold?.refund();
          throw error;
        });
      hold?.settle();
      // Written together with the journal's close: as long as that is missing, recovery knows what to write down.
      if (by) audit.write("upload", by, auditFacts(record), "later");
      // Marks the link and removes the object of its own. If storage can't be reached just now, the intent stays open and
      // recovery does both: the file is in storage and in the catalog, which is all that an answer promises.
      if (linked) await endsWithin(recovery.undoUpload(row.uid), undoPatienceMs);
      else journal.closeUpload(row.uid);
      metrics?.recorded(record.size_bytes);
      log.info(
        { id: record.id, uid: row.uid, bytes: row.size_bytes, type: row.content_type },
        "file recorded",
      );
      return { record, duplicateOf };
    },
  };
}

/** What was told of a file when it was recorded, for whoever asks again. */
export async function toldOf(
  record: FileRecord,
  repository: Pick<FileRepository, "getByChecksum">,
): Promise<{ record: FileRecord; duplicateOf: number | null }> {
  let oldest = await repository.getByChecksum(record.checksum_sha256);
  return { record, duplicateOf: oldest && oldest.id < record.id ? oldest.id : null };
}

/** What the audit log tells of an upload. */
export function auditFacts(file: FileRecord): JsonObject {
  let { id, uid, filename, size_bytes: bytes, content_type: type, checksum_sha256: sha256 } = file;
  return { file_id: id, uid, filename, bytes, type, sha256 };
}

/** Reads pieces of a stored object, for facts that are neither in its head nor in its tail. */
export function rangeReader(storage: Storage, key: string, signal?: AbortSignal): FetchRange {
  return async (offset, length) => {
    let { body } = await storage.open(key, { first: offset, last: offset + length - 1 }, signal);
    return new Uint8Array(await new Response(body).arrayBuffer());
  };
}
