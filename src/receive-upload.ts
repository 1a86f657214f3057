import type { Admission } from "./admission.ts";
import type { Allowance, Hold } from "./allowance.ts";
import type { Clock } from "./clock.ts";
import type { DeleteFile } from "./delete-file.ts";
import type { FileRecord, IncomingFile, NewFileRecord, Requester } from "./domain.ts";
import { AppError, type ErrorCode, toAppError } from "./errors.ts";
import type { Ids } from "./ids.ts";
import { measureBody } from "./inspect/measure.ts";
import { detectMediaType } from "./inspect/media-type.ts";
import type { Policy } from "./inspect/policy.ts";
import type { Log } from "./log.ts";
import type { RefusedFile } from "./parse/upload-request.ts";
import { rangeReader, type RecordUpload, toldOf } from "./record-upload.ts";
import type { FileRepository } from "./record/file-repository.ts";
import { type Recovery, undoPatienceMs } from "./recover.ts";
import { endsWithin } from "./soon.ts";
import type { Idempotency } from "./state/idempotency.ts";
import type { Journal } from "./state/journal.ts";
import { keyPrefixOf, objectKey, userMetadataOf } from "./store/keys.ts";
import type { Storage } from "./store/storage.ts";
import { noQuota, type QuotaShare, type TotalQuota } from "./total-quota.ts";
import { SECOND_MS } from "./units.ts";

export type UploadOutcome =
  | { success: true; record: FileRecord; duplicateOf: number | null }
  | { success: false; filename: string; error: AppError };

export interface UploadContext {
  /** The request's: aborted when its sender is gone, or when the server wants to end. */
  signal: AbortSignal;
  idempotencyKey: string | null;
  log: Log;
  /** Folder below the folder of senders that have one, with a slash at its end: `clients/acme/`. */
  folder?: string | null;
  /** What is left to the sender; without one its files are not counted. */
  allowance?: Allowance | null;
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
  recordUpload: RecordUpload;
  journal: Journal;
  recovery: Recovery;
  idempotency: Idempotency;
  deleteFile: DeleteFile;
  policy: Policy;
  admission: Admission;
  quota?: TotalQuota;
  clock: Clock;
  ids: Ids;
  options: { s3Prefix: string; maxFileBytes: number };
}

/** What is wrong with one file only; its neighbours in the request are taken. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "invalid_filename",
  "file_too_large",
  "quota_exceeded",
  "type_not_allowed",
  "type_mismatch",
  "duplicate",
  "storage_full",
]);
/** What reading a stored file's facts may take: an upload does not wait for ever for its picture's size. */
const factsPatienceMs = 30 * SECOND_MS;
/** A file that is in storage and waits for the end of its request to get its row. */
interface StoredFile {
  row: NewFileRecord;
  hold: Hold | null;
  share: QuotaShare;
  release: () => void;
}

/** parse -> inspect -> store -> record: the one way through. */
export function createReceiveUpload(deps: ReceiveUploadDeps): ReceiveUpload {
  let {
    storage,
    repository,
    recordUpload,
    journal,
    recovery,
    idempotency,
    deleteFile,
    policy,
    admission,
    quota = noQuota,
    clock,
    ids,
    options,
  } = deps;
  let byKey = new Map<string, Promise<unknown>>();

  async function receive(files: AsyncIterable<IncomingFile | RefusedFile>, context: UploadContext) {
    let received: (UploadOutcome | StoredFile)[] = [];
    let recorded: { id: number; hold: Hold | null }[] = [];
    try {
      for await (let file of files) {
        received.push(await refusable(file.filename, () => receiveFile(file, received.length, context)));
      }
      context.signal.throwIfAborted();
      let outcomes: UploadOutcome[] = [];
      for (let [position, one] of received.entries()) {
        let outcome =
          "row" in one ? await refusable(one.row.filename, () => record(one, position, context)) : one;
        if ("row" in one && outcome.success) recorded.push({ id: outcome.record.id, hold: one.hold });
        outcomes.push(outcome);
      }
      return outcomes;
    } catch (error) {
      // All rows at once: what is on its way out is out of sight, also for a retry that comes meanwhile.
      let rowsGone = Promise.all(recorded.map((one) => takeBack(one, context)));
      await orLater(undoAll(received).then(() => rowsGone));
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
    if (earlier) return { success: true, ...(await toldOf(earlier, repository)) };

    policy.checkName(file.filename);
    if (file.declaredBytes !== null) policy.checkSize(file.declaredBytes, file.filename);
    let hold = context.allowance?.begin(file.declaredBytes) ?? null;
    let share: QuotaShare | null = null;
    try {
      share = await quota.take(file.declaredBytes);
      let leave = await admission.enter(file.declaredBytes ?? file.mostBytes, context.signal);
      try {
        return await store(file, { hold, share }, context);
      } finally {
        leave();
      }
    } catch (error) {
      share?.release();
      hold?.release();
      throw error;
    }
  }

  async function store(
    file: IncomingFile,
    { hold, share }: Pick<StoredFile, "hold" | "share">,
    context: UploadContext,
  ): Promise<StoredFile> {
    let { filename, declaredType, declaredBytes } = file;
    let body = share.tap(hold?.counted(file.body) ?? file.body);
    let measured = measureBody(body, options.maxFileBytes, filename, declaredBytes);
    let head = await measured.readHead();
    let media = await detectMediaType(head.bytes, head.isWhole, filename);
    let mismatch = policy.checkType(media, filename, declaredType, head.isWhole && head.bytes.length === 0);

    let uid = ids.uid();
    let createdAtMs = clock.nowMs();
    let createdAt = new Date(createdAtMs).toISOString();
    let prefix = keyPrefixOf(options.s3Prefix, context.folder ?? null);
    let key = objectKey({ prefix, uid, extension: media.extension, createdAtMs });
    let { name, bucket } = storage;
    let unclaim = recovery.claim(uid);
    let release = () => {
      unclaim();
      hold?.release();
      share.release();
    };
    try {
      await journal.beginUpload({ uid, storage: name, bucket, key, ...(context.by && { by: context.by }) });
      let sha256 = head.isWhole ? { sha256: measured.sha256() } : {};
      let { sizeBytes } = await storage.put({
        key,
        body: measured.body,
        declaredBytes: head.isWhole ? measured.headTail.sizeBytes : declaredBytes,
        mostBytes: Math.min(file.mostBytes ?? options.maxFileBytes, options.maxFileBytes),
        contentType: media.contentType,
        userMetadata: userMetadataOf({ uid, filename, createdAt, declaredType, ...sha256 }),
        sha256: measured.sha256,
        onMultipartCreated: (uploadId) => journal.multipartCreated(uid, uploadId),
        signal: context.signal,
      });
      let patience = AbortSignal.any([context.signal, AbortSignal.timeout(factsPatienceMs)]);
      let source = measured.headTail.source(rangeReader(storage, key, patience));
      let what = { filename, declaredType, media, mismatch, sizeBytes, sha256: measured.sha256() };
      let row = await recordUpload.describe({ ...what, uid, key, createdAt, source }, storage);
      return { row, hold, share, release };
    } catch (error) {
      // What was given up on its way may still make an object, or an upload in parts.
      await orLater(undo({ row: { uid }, release }, true));
      throw error;
    }
  }

  async function record(
    stored: StoredFile,
    position: number,
    context: UploadContext,
  ): Promise<UploadOutcome> {
    let { row, hold, share, release } = stored;
    try {
      if (context.idempotencyKey !== null) await idempotency.remember(context.idempotencyKey, position, row);
      // From here on the catalog counts it.
      share.release();
      let { folder = null, by = null, log } = context;
      let made = await recordUpload.record(row, { folder, hold, by }, log);
      release();
      return { success: true, ...made };
    } catch (error) {
      await orLater(undo(stored));
      throw error;
    }
  }

  /** Takes the object back; recovery keeps it where a row has come to use it. */
  async function undo(
    { row, release }: { row: { uid: string }; release: () => void },
    lookAgain = false,
  ): Promise<void> {
    await recovery.undoUpload(row.uid, lookAgain);
    release();
  }

  async function undoAll(received: (UploadOutcome | StoredFile)[]): Promise<void> {
    for (let one of received) if ("row" in one) await undo(one);
  }

  /** Removes what was recorded already. One that can't be removed does not keep the others, nor hide why. */
  async function takeBack(
    { id, hold }: { id: number; hold: Hold | null },
    { log, by }: UploadContext,
  ): Promise<void> {
    try {
      await deleteFile(id, { alsoSetAside: true, ...(by && { by }) });
      hold?.refund();
    } catch (error) {
      log.error(
        { id, reason: toAppError(error).message },
        "a file of a failed request could not be taken back",
      );
    }
  }

  /**
   * What an Idempotency-Key stands for, when an earlier request with it got as far as a row. Its name and size can fit by
   * chance, and senders without a token share their keys: only who sends the same bytes again gets the first answer.
   */
  async function earlierResult(
    file: IncomingFile,
    position: number,
    key: string | null,
  ): Promise<FileRecord | null> {
    let remembered = key === null ? null : idempotency.find(key, position);
    let row = remembered && (await repository.get(remembered.uid));
    if (!row) return null;
    let { filename, declaredBytes } = file;
    let mayBeSame = row.filename === filename && (declaredBytes ?? row.size_bytes) === row.size_bytes;
    if (mayBeSame && (await sha256Of(file)) === row.checksum_sha256) return row;
    throw new AppError("invalid_parameter", "This Idempotency-Key was used for another file.", {
      details: { parameter: "Idempotency-Key", filename },
    });
  }

  async function sha256Of({ body, filename, declaredBytes }: IncomingFile): Promise<string> {
    let measured = measureBody(body, options.maxFileBytes, filename, declaredBytes);
    for await (let _ of measured.body);
    return measured.sha256();
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

/** Waits for what is to be undone, but not for long: the sender has its answer then, and the rest is done after it. */
async function orLater(undoing: Promise<unknown>): Promise<void> {
  await endsWithin(undoing, undoPatienceMs);
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
