import type { Admission } from "./admission.ts";
import type { Clock } from "./clock.ts";
import type { DeleteFile } from "./delete-file.ts";
import type {
  DuplicatePolicy,
  FileRecord,
  IncomingFile,
  JsonObject,
  NewFileRecord,
  Requester,
} from "./domain.ts";
import { AppError, type ErrorCode, toAppError } from "./errors.ts";
import type { Ids } from "./ids.ts";
import { extractMetadata } from "./inspect/extract-metadata.ts";
import { measureBody } from "./inspect/measure.ts";
import { detectMediaType } from "./inspect/media-type.ts";
import type { Policy } from "./inspect/policy.ts";
import type { Log } from "./log.ts";
import type { RefusedFile } from "./parse/upload-request.ts";
import type { FileRepository } from "./record/file-repository.ts";
import type { Recovery } from "./recover.ts";
import { type AuditLog, noAudit } from "./state/audit.ts";
import type { Idempotency } from "./state/idempotency.ts";
import type { Journal } from "./state/journal.ts";
import { objectKey, userMetadataOf } from "./store/keys.ts";
import type { Storage } from "./store/storage.ts";
import { noQuota, type QuotaShare, type TotalQuota } from "./total-quota.ts";

export type UploadOutcome =
  | { success: true; record: FileRecord; duplicateOf: number | null }
  | { success: false; filename: string; error: AppError };

export interface UploadContext {
  /** The request's: aborted when its sender is gone, or when the server wants to end. */
  signal: AbortSignal;
  idempotencyKey: string | null;
  log: Log;
  /** For the audit log; absent where nobody keeps one. */
  by?: Requester;
}

/**
 * Takes the files of one request. A file that is refused for what it is fails alone; anything else that goes wrong fails
 * the request, which then leaves no row and no object.
 */
export type ReceiveUpload = (
  files: AsyncIterable<IncomingFile | RefusedFile>,
  context: UploadContext,
) => Promise<UploadOutcome[]>;

export interface ReceiveUploadDeps {
  storage: Storage;
  repository: FileRepository;
  journal: Journal;
  recovery: Recovery;
  idempotency: Idempotency;
  deleteFile: DeleteFile;
  policy: Policy;
  admission: Admission;
  audit?: AuditLog;
  quota?: TotalQuota;
  clock: Clock;
  ids: Ids;
  options: { s3Prefix: string; maxFileBytes: number; duplicates: DuplicatePolicy; keepPosition: boolean };
}

/** What is wrong with one file only; its neighbours in the request are taken. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "invalid_filename",
  "file_too_large",
  "type_not_allowed",
  "type_mismatch",
  "duplicate",
  "storage_full",
]);
/** A file that is in storage and waits for the end of its request to get its row. */
interface StoredFile {
  row: NewFileRecord;
  share: QuotaShare;
  release: () => void;
}

/** parse -> inspect -> store -> record: the one way through. */
export function createReceiveUpload(deps: ReceiveUploadDeps): ReceiveUpload {
  let {
    storage,
    repository,
    journal,
    recovery,
    idempotency,
    deleteFile,
    policy,
    admission,
    audit = noAudit,
    quota = noQuota,
    clock,
    ids,
    options,
  } = deps;
  let byKey = new Map<string, Promise<unknown>>();

  async function receive(files: AsyncIterable<IncomingFile | RefusedFile>, context: UploadContext) {
    let received: (UploadOutcome | StoredFile)[] = [];
    let recorded: FileRecord[] = [];
    try {
      for await (let file of files) {
        received.push(await refusable(file.filename, () => receiveFile(file, received.length, context)));
      }
      context.signal.throwIfAborted();
      let outcomes: UploadOutcome[] = [];
      for (let [position, one] of received.entries()) {
        let outcome =
          "row" in one ? await refusable(one.row.filename, () => record(one, position, context)) : one;
        if ("row" in one && outcome.success) recorded.push(outcome.record);
        outcomes.push(outcome);
      }
      return outcomes;
    } catch (error) {
      for (let one of received) if ("row" in one) await undo(one);
      for (let { id } of recorded) await takeBack(id, context);
      throw context.signal.aborted ? endedBy(context.signal) : error;
    }
  }

  async function receiveFile(
    file: IncomingFile | RefusedFile,
    position: number,
    context: UploadContext,
  ): Promise<UploadOutcome | StoredFile> {
    if ("error" in file) throw file.error;
    let earlier = await earlierResult(file, position, context.idempotencyKey);
    if (earlier) return { success: true, record: earlier, duplicateOf: null };

    policy.checkName(file.filename);
    if (file.declaredBytes !== null) policy.checkSize(file.declaredBytes, file.filename);
    let share = await quota.take(file.declaredBytes);
    try {
      let leave = await admission.enter(file.declaredBytes ?? file.mostBytes, context.signal);
      try {
        return { ...(await store({ ...file, body: share.tap(file.body) }, context)), share };
      } finally {
        leave();
      }
    } catch (error) {
      share.release();
      throw error;
    }
  }

  async function store(file: IncomingFile, context: UploadContext): Promise<Omit<StoredFile, "share">> {
    let { filename, declaredType, declaredBytes } = file;
    let measured = measureBody(file.body, options.maxFileBytes, filename);
    let head = await measured.readHead();
    let media = await detectMediaType(head.bytes, head.isWhole, filename);
    let mismatch = policy.checkType(media, filename, declaredType, head.isWhole && head.bytes.length === 0);

    let uid = ids.uid();
    let createdAtMs = clock.nowMs();
    let createdAt = new Date(createdAtMs).toISOString();
    let key = objectKey({ prefix: options.s3Prefix, uid, extension: media.extension, createdAtMs });
    let { name, bucket } = storage;
    let release = recovery.claim(uid);
    try {
      await journal.beginUpload({ uid, storage: name, bucket, key, ...(context.by && { by: context.by }) });
      let sha256 = head.isWhole ? { sha256: measured.sha256() } : {};
      let { sizeBytes } = await storage.put({
        key,
        body: measured.body,
        declaredBytes: head.isWhole ? measured.headTail.sizeBytes : declaredBytes,
        mostBytes: Math.min(file.mostBytes ?? options.maxFileBytes, options.maxFileBytes),
        contentType: media.contentType,
        userMetadata: userMetadataOf({ uid, filename, createdAt, ...sha256 }),
        sha256: measured.sha256,
        onMultipartCreated: (uploadId) => journal.multipartCreated(uid, uploadId),
        signal: context.signal,
      });
      let source = measured.headTail.source((offset, length) => readStored(key, offset, length));
      let facts = await extractMetadata(source, media, { keepPosition: options.keepPosition });
      let metadata = { ...facts.metadata };
      if (declaredType !== null) metadata["declared_type"] = declaredType;
      if (mismatch) metadata["mismatch"] = mismatch;
      let row: NewFileRecord = {
        ...facts,
        metadata,
        uid,
        filename,
        storage: name,
        bucket,
        s3_key: key,
        content_type: media.contentType,
        kind: media.kind,
        size_bytes: sizeBytes,
        checksum_sha256: measured.sha256(),
        created_at: createdAt,
        created_date: createdAt.slice(0, 10),
      };
      return { row, release };
    } catch (error) {
      // Without an answer nobody knows whether storage will still make the object.
      await undo({ row: { uid }, release }, toAppError(error).code === "storage_unavailable");
      throw error;
    }
  }

  async function record(
    stored: StoredFile,
    position: number,
    context: UploadContext,
  ): Promise<UploadOutcome> {
    let { row, release, share } = stored;
    try {
      if (context.idempotencyKey !== null) await idempotency.remember(context.idempotencyKey, position, row);
      // From here on the catalog counts it.
      share.release();
      let { record: created, duplicateOf, linked } = await repository.create(row, options.duplicates);
      // Written together with the journal's close: as long as that is missing, recovery knows what to write down.
      if (context.by) audit.write("upload", context.by, auditFacts(created), "later");
      if (linked) await undo(stored);
      else journal.closeUpload(row.uid);
      context.log.info(
        { id: created.id, uid: row.uid, bytes: row.size_bytes, type: row.content_type },
        "file recorded",
      );
      return { success: true, record: created, duplicateOf };
    } catch (error) {
      await undo(stored);
      throw error;
    } finally {
      release();
    }
  }

  /** Takes the object back; recovery keeps it where a row has come to use it. */
  async function undo(
    { row, release, share }: { row: { uid: string }; release: () => void; share?: QuotaShare },
    lookAgain = false,
  ): Promise<void> {
    await recovery.undoUpload(row.uid, lookAgain);
    share?.release();
    release();
  }

  /** Removes what was recorded already. One that can't be removed does not keep the others, nor hide why. */
  async function takeBack(id: number, { log, by }: UploadContext): Promise<void> {
    try {
      await deleteFile(id, { alsoSetAside: true, ...(by && { by }) });
    } catch (error) {
      log.error(
        { id, reason: toAppError(error).message },
        "a file of a failed request could not be taken back",
      );
    }
  }

  /** What an Idempotency-Key stands for, when an earlier request with it got as far as a row. */
  async function earlierResult(
    { filename, declaredBytes }: IncomingFile,
    position: number,
    key: string | null,
  ): Promise<FileRecord | null> {
    let remembered = key === null ? null : idempotency.find(key, position);
    let row = remembered && (await repository.get(remembered.uid));
    if (!row) return null;
    if (row.filename === filename && (declaredBytes ?? row.size_bytes) === row.size_bytes) return row;
    throw new AppError(
      "invalid_parameter",
      `This Idempotency-Key was used for another file, “${row.filename}”.`,
      { details: { parameter: "Idempotency-Key", filename } },
    );
  }

  async function readStored(key: string, offset: number, length: number): Promise<Uint8Array> {
    let { body } = await storage.open(key, { first: offset, last: offset + length - 1 });
    return new Uint8Array(await new Response(body).arrayBuffer());
  }

  return async function receiveUpload(files, context) {
    let key = context.idempotencyKey;
    if (key === null) return receive(files, context);
    // A retry may come while the first request is still at work: it waits for what that one makes of it.
    let mine = (byKey.get(key) ?? Promise.resolve()).then(() => receive(files, context));
    let settled = mine.catch(() => {});
    byKey.set(key, settled);
    try {
      return await mine;
    } finally {
      if (byKey.get(key) === settled) byKey.delete(key);
    }
  };
}

/** What the audit log tells of an upload. */
export function auditFacts(file: FileRecord): JsonObject {
  let { id, uid, filename, size_bytes: bytes, content_type: type, checksum_sha256: sha256 } = file;
  return { file_id: id, uid, filename, bytes, type, sha256 };
}

function endedBy(signal: AbortSignal): AppError {
  if (signal.reason instanceof AppError) return signal.reason;
  return new AppError("bad_request", "The connection was closed before the upload was complete.");
}

/** A refusal as an outcome; anything else goes on. */
async function refusable<T>(filename: string, work: () => Promise<T>): Promise<T | UploadOutcome> {
  try {
    return await work();
  } catch (thrown) {
    let error = toAppError(thrown);
    if (!REFUSALS.has(error.code)) throw thrown;
    return { success: false, filename, error: error.with({ filename }) };
  }
}
