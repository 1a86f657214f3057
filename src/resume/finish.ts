import type { Hold } from "../allowance.ts";
import type { FileRecord } from "../domain.ts";
import { AppError } from "../errors.ts";
import { createSource } from "../inspect/head-tail.ts";
import type { Log } from "../log.ts";
import { rangeReader, type RecordUpload, toldOf } from "../record-upload.ts";
import type { FileRepository } from "../record/file-repository.ts";
import type { Recovery } from "../recover.ts";
import type { ResumableTable, ResumableUpload, Verdict } from "../state/resumable-table.ts";
import type { Storage } from "../store/storage.ts";
import type { Digests } from "./digests.ts";
import { createdAtOf, objectOf, reachVerdict, type VerdictDeps } from "./verdict.ts";

export interface FinishDeps extends VerdictDeps {
  table: ResumableTable;
  digests: Digests;
  repository: FileRepository;
  recordUpload: RecordUpload;
  recovery: Pick<Recovery, "undoUpload">;
}

export interface Finished {
  record: FileRecord;
  duplicateOf: number | null;
}

/**
 * From the last byte to the row: object, facts, row. May be called again after a failure or a crash, wherever that was.
 * @throws AppError as RecordUpload.record, Storage.resumable.complete and reachVerdict do
 */
export async function finishUpload(
  upload: ResumableUpload,
  storage: Storage,
  deps: FinishDeps,
  { hold, log, signal }: { hold: Hold | null; log: Log; signal: AbortSignal },
): Promise<Finished> {
  let { table, repository, recordUpload, recovery, digests } = deps;
  let { uid, filename, declaredType, offsetBytes: sizeBytes } = upload;
  let recorded = await repository.get(uid);
  if (recorded) {
    await recovery.undoUpload(uid);
    return toldOf(recorded, repository);
  }
  let verdict = upload.verdict ?? (await judgeWhole(upload, deps));
  let head = table.head(uid);
  let hash = digests.take(uid, sizeBytes);
  // A try that fails must leave it for the next one.
  if (hash) digests.keep(uid, sizeBytes, hash);
  let { sha256 } = await storage.resumable.complete({
    object: objectOf(upload, verdict),
    partBytes: upload.partBytes,
    uploadId: upload.multipartUploadId,
    offsetBytes: sizeBytes,
    storedBytes: upload.storedBytes,
    held: table.held(upload),
    parts: table.parts(uid),
    sha256: hash?.copy().digest("hex") ?? null,
    signal,
  });
  let source = createSource(sizeBytes, head, new Uint8Array(0), rangeReader(storage, verdict.key));
  let { key, media, mismatch } = verdict;
  let what = { filename, declaredType, media, mismatch, sizeBytes, sha256 };
  let row = await recordUpload.describe(
    { ...what, uid, key, createdAt: createdAtOf(upload), source },
    storage,
  );
  return recordUpload.record(row, { folder: upload.folder, hold, by: upload.by }, log);
}

/** A file that ended before its head was full is in hand as a whole. */
function judgeWhole(upload: ResumableUpload, deps: FinishDeps): Promise<Verdict> {
  let held = deps.table.held(upload);
  if (held.byteLength !== upload.offsetBytes) {
    throw new AppError("internal_error", `nobody knows what ${upload.uid} is, though it is stored`);
  }
  let whole = new Uint8Array(held.byteLength);
  held.readInto(whole, 0);
  return reachVerdict(upload, whole, true, deps);
}
