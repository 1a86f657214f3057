import type { Admission } from "../admission.ts";
import type { Allowances, Hold } from "../allowance.ts";
import type { ByteStream, StorageName } from "../domain.ts";
import { AppError, type ErrorCode, toAppError } from "../errors.ts";
import type { Ids } from "../ids.ts";
import type { Log } from "../log.ts";
import { toldOf } from "../record-upload.ts";
import type { Recovery } from "../recover.ts";
import type { ResumableUpload } from "../state/resumable-table.ts";
import type { Storage } from "../store/storage.ts";
import type { QuotaShare, TotalQuota } from "../total-quota.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../units.ts";
import { checkAppend } from "./check-append.ts";
import { type FinishDeps, type Finished, finishUpload } from "./finish.ts";
import { type Checksum, type ReceiveDeps, receivePiece } from "./receive.ts";
import { createSessions } from "./sessions.ts";
import { headBytes } from "./verdict.ts";
import { createTurns, within } from "./waiting.ts";

export const noSuchUpload = "There is no such upload.";
/** How long an upload is kept after its last byte, and what became of it after its end. */
export const resumableLifeMs = DAY_MS;
/** Each may hold a part's worth of bytes in the private database. */
const maxOpenUploads = 10_000;
const sweepEveryMs = MINUTE_MS;
/** Proxies cut a request that is not answered within a minute; the work goes on without it. */
const answerWithinMs = 45 * SECOND_MS;
/** Reading back a large object loads bucket and network. */
const maxReadBacks = 2;

/** Where an upload stands. */
export interface ResumableStatus {
  uid: string;
  offsetBytes: number;
  lengthBytes: number | null;
  /** As its sender wrote it. */
  clientMetadata: string;
  /** When it is forgotten. */
  expiresAtMs: number;
  /** The file once it is recorded. All bytes and no file: that is still being done. */
  finished: Finished | null;
}

export interface NewUpload extends Pick<ResumableUpload, "sender" | "folder" | "holder" | "by"> {
  /** Safe to show. */
  filename: string;
  declaredType: string | null;
  /** Null: told later. */
  lengthBytes: number | null;
  clientMetadata: string;
}

export interface AppendRequest {
  /** Where the bytes belong. */
  offsetBytes: number;
  /** Of the whole file, when it is told now. */
  lengthBytes: number | null;
  /** No more than this many will come; null when the request does not tell. */
  mostBytes: number | null;
  checksum: Checksum | null;
  /** The bytes, until the signal ends them. */
  body: (signal: AbortSignal) => ByteStream;
  /** Throws AppError when its sender has been shut out since; asked behind the last byte, before there is a row. */
  refuse?: () => void;
  /** The request's own. */
  signal: AbortSignal;
  log: Log;
}

/**
 * Uploads that go on after an interruption, whatever protocol they come by. What an offset says is on disk or in the
 * bucket; it survives a crash.
 */
export interface Resumable {
  /** @throws AppError type_not_allowed, file_too_large, quota_exceeded, storage_full, permission_denied, too_many_requests */
  create(file: NewUpload): Promise<ResumableStatus>;
  /** Whoever began it; null for nobody in particular, and for what is not there. */
  senderOf(uid: string): string | null;
  /**
   * @param resuming the asker is going to go on with it: a request that adds bytes, and whose sender seems to be gone, makes way
   * @throws AppError not_found, gone
   */
  status(uid: string, resuming: boolean): Promise<ResumableStatus>;
  /**
   * Adds bytes; a request that is adding bytes already has to make way. With the last byte the file is recorded before
   * this resolves, or soon after when that takes long. A file that can't be taken ends its upload.
   *
   * @throws AppError not_found, gone, wrong_offset, file_too_large, bad_request (another length), wrong_checksum, server_busy,
   *   quota_exceeded, storage_full, what refuses a file, what cut the body short, storage's own
   */
  append(uid: string, request: AppendRequest): Promise<ResumableStatus>;
  /** @throws AppError not_found, gone, and permission_denied for a file that is recorded */
  terminate(uid: string): Promise<void>;
  /** Keeps recovery away from what can go on. To be called before recovery runs. */
  load(): void;
  /** Begins to finish what is whole and to remove what is forgotten. */
  start(): void;
  /** Ends every request that adds bytes; what came counts. */
  endRequests(reason: AppError): void;
  stop(): void;
}

export interface ResumableDeps extends ReceiveDeps, FinishDeps {
  /** Where new files go. */
  storage: Storage;
  storageFor: (place: { storage: StorageName; bucket: string }) => Storage;
  recovery: Pick<Recovery, "claim" | "undoUpload">;
  admission: Admission;
  allowances: Pick<Allowances, "of">;
  quota: TotalQuota;
  ids: Ids;
  log: Log;
}

/** What no later request can make good: the upload ends with it. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "file_too_large",
  "type_not_allowed",
  "type_mismatch",
  "duplicate",
  "gone",
  "quota_exceeded",
  // Whoever it is counted for has ended.
  "permission_denied",
]);

export function createResumable(deps: ResumableDeps): Resumable {
  let { table, storage, storageFor, recovery, repository, policy, digests } = deps;
  let { admission, allowances, quota, clock, ids, log } = deps;
  let sessions = createSessions();
  let finishing = new Map<string, Promise<Finished>>();
  let claims = new Map<string, () => void>();
  let readBacks = createTurns(maxReadBacks);
  let stopping = new AbortController();
  let timer: ReturnType<typeof setInterval> | null = null;

  function find(uid: string): ResumableUpload {
    let upload = table.find(uid);
    if (!upload) throw new AppError("not_found", noSuchUpload);
    if (upload.state === "ended") {
      throw new AppError("gone", "This upload has ended: it was taken back or refused, or it has expired.");
    }
    return upload;
  }

  async function finishedBefore({ fileId }: ResumableUpload): Promise<Finished> {
    let record = fileId === null ? null : await repository.get(fileId);
    if (!record) throw new AppError("gone", "The file of this upload has been deleted.");
    return toldOf(record, repository);
  }

  async function statusNow(uid: string): Promise<ResumableStatus> {
    let upload = find(uid);
    return statusOf(upload, upload.state === "finished" ? await finishedBefore(upload) : null);
  }

  /**
   * Room for the whole file, as far as anybody knows how large it is. Only while somebody adds bytes and while it is being
   * recorded: what stands still takes no room from others, and has to find some again.
   */
  function beginCounting({ holder }: Pick<ResumableUpload, "holder">, bytes: number | null): Hold | null {
    return holder && allowances.of(holder).begin(bytes);
  }

  /** Nobody goes on with it. What storage can't take back now, recovery takes back later. */
  async function end({ uid }: ResumableUpload, why: string): Promise<void> {
    digests.forget(uid);
    await table.end(uid, clock.nowMs());
    await recovery.undoUpload(uid);
    release(uid);
    log.info({ uid, reason: why }, "resumable upload ended");
  }

  function claim(uid: string): void {
    if (!claims.has(uid)) claims.set(uid, recovery.claim(uid));
  }

  function release(uid: string): void {
    claims.get(uid)?.();
    claims.delete(uid);
  }

  async function endIfFinal(upload: ResumableUpload, thrown: unknown): Promise<void> {
    let { code, message } = toAppError(thrown);
    if (FINAL.has(code)) await end(upload, message);
  }

  /** One at a time for an upload; whoever asks meanwhile gets the same answer. */
  function finish(uid: string, requestLog: Log): Promise<Finished> {
    let running = finishing.get(uid);
    if (running) return running;
    let work = finishNow(uid, requestLog).finally(() => finishing.delete(uid));
    // Nobody may be waiting any more.
    work.catch(() => {});
    finishing.set(uid, work);
    return work;
  }

  async function finishNow(uid: string, requestLog: Log): Promise<Finished> {
    let upload = find(uid);
    if (upload.state === "finished") return finishedBefore(upload);
    let place = storageFor(upload);
    let hold: Hold | null = null;
    try {
      // A crash may have come between the row, for which it was counted, and the note of it.
      let isRecorded = (await repository.get(uid)) !== null;
      hold = isRecorded ? null : beginCounting(upload, upload.offsetBytes);
      let how = { hold, log: requestLog, signal: stopping.signal };
      let work = () => finishUpload(upload, place, deps, how);
      let finished = await (digests.has(uid) || upload.storedBytes === 0 ? work() : readBacks(work));
      await table.finish(uid, finished.record.id, clock.nowMs());
      digests.forget(uid);
      release(uid);
      return finished;
    } catch (thrown) {
      let error = toAppError(thrown);
      if (!FINAL.has(error.code)) log.warn({ uid, reason: error.message }, "an upload can't be finished yet");
      await endIfFinal(upload, error);
      throw error;
    } finally {
      hold?.release();
    }
  }

  /** A verdict on bytes that were not kept in the end is none: others may come in their place. */
  async function withSoundVerdict(upload: ResumableUpload): Promise<ResumableUpload> {
    if (upload.verdict === null || upload.offsetBytes >= headBytes) return upload;
    await recovery.undoUpload(upload.uid);
    await table.decide(upload.uid, null);
    return find(upload.uid);
  }

  async function receive(found: ResumableUpload, request: AppendRequest): Promise<void> {
    let { uid } = found;
    let { offsetBytes, lengthBytes, mostBytes, checksum } = request;
    // Not final when there is no room: others who send just now may leave some.
    let bytes = found.lengthBytes ?? lengthBytes ?? offsetBytes;
    let hold = beginCounting(found, bytes);
    let share: QuotaShare | null = null;
    let session = sessions.open(uid);
    try {
      share = await quota.take(bytes);
      if (lengthBytes !== null && found.lengthBytes === null) await table.setLength(uid, lengthBytes);
      let upload = await withSoundVerdict(find(uid));
      let sent = request.body(AbortSignal.any([request.signal, session.soft]));
      let body = share.tap(hold?.counted(sent, offsetBytes) ?? sent, offsetBytes);
      let piece = { body, mostBytes, checksum, signal: session.hard };
      await receivePiece(upload, piece, storageFor(upload), deps, (intake) => (session.intake = intake));
    } catch (error) {
      await endIfFinal(found, error);
      throw error;
    } finally {
      share?.release();
      hold?.release();
      session.close();
    }
  }

  async function append(uid: string, request: AppendRequest): Promise<ResumableStatus> {
    let before = find(uid);
    // An offset never goes back: what is behind it can't come to fit.
    if (request.offsetBytes < before.offsetBytes) checkAppend(before, request, deps);
    let leave = await admission.enter(request.mostBytes, request.signal);
    try {
      // Of several that waited one is first; nothing is awaited from here to the place where it takes the upload.
      do await sessions.takeOver(uid);
      while (sessions.has(uid));
      let upload = find(uid);
      checkAppend(upload, request, deps);
      if (upload.state === "finished") return await statusNow(uid);
      if (upload.offsetBytes !== upload.lengthBytes) await receive(upload, request);
    } finally {
      leave();
    }
    let upload = find(uid);
    if (upload.offsetBytes !== upload.lengthBytes) return statusOf(upload, null);
    try {
      request.refuse?.();
    } catch (error) {
      await endIfFinal(upload, error);
      throw error;
    }
    let finished = await within(finish(uid, request.log), answerWithinMs);
    return statusOf(find(uid), finished);
  }

  async function sweep(): Promise<void> {
    let nowMs = clock.nowMs();
    for (let upload of table.openUntouchedSince(nowMs - resumableLifeMs)) {
      // Its sender believes it is done; it is tried again below.
      if (upload.offsetBytes === upload.lengthBytes || sessions.has(upload.uid)) continue;
      await end(upload, "expired");
    }
    table.forget(nowMs - resumableLifeMs);
    for (let { uid } of table.openAndWhole()) {
      if (stopping.signal.aborted) return;
      await finish(uid, log).catch(() => {});
    }
  }

  function sweepSafely(): void {
    sweep().catch((error: unknown) =>
      log.warn({ reason: toAppError(error).message }, "resumable uploads could not be looked through"),
    );
  }

  return {
    async create(file) {
      policy.checkName(file.filename);
      if (file.lengthBytes !== null) policy.checkSize(file.lengthBytes, file.filename);
      if (table.countOpen() >= maxOpenUploads) {
        throw new AppError("too_many_requests", "Too many uploads are unfinished; try again later.");
      }
      beginCounting(file, file.lengthBytes)?.release();
      (await quota.take(file.lengthBytes)).release();
      let uid = ids.uid();
      claim(uid);
      try {
        await table.add({
          ...file,
          uid,
          storage: storage.name,
          bucket: storage.bucket,
          partBytes: storage.resumable.partBytesFor(file.lengthBytes ?? deps.maxFileBytes),
          createdAtMs: clock.nowMs(),
        });
      } catch (error) {
        release(uid);
        throw error;
      }
      return statusOf(find(uid), null);
    },

    senderOf: (uid) => table.find(uid)?.sender ?? null,

    async status(uid, resuming) {
      find(uid);
      if (resuming) await sessions.takeOverIfQuiet(uid);
      let running = finishing.get(uid);
      if (running) await within(running, answerWithinMs).catch(() => {});
      return statusNow(uid);
    },

    append,

    async terminate(uid) {
      find(uid);
      do {
        await sessions.takeOver(uid);
        await finishing.get(uid)?.catch(() => {});
      } while (sessions.has(uid) || finishing.has(uid));
      let upload = find(uid);
      if (upload.state === "finished") {
        throw new AppError("permission_denied", "The file is recorded by now: delete the file itself.");
      }
      await end(upload, "taken back by its sender");
    },

    load() {
      for (let { uid } of table.open()) claim(uid);
    },

    start() {
      timer ??= setInterval(sweepSafely, sweepEveryMs);
      sweepSafely();
    },

    endRequests(reason) {
      sessions.endAll(reason);
    },

    stop() {
      if (timer) clearInterval(timer);
      stopping.abort(new AppError("server_busy", "The server is being stopped."));
    },
  };
}

function statusOf(upload: ResumableUpload, finished: Finished | null): ResumableStatus {
  let { uid, offsetBytes, lengthBytes, clientMetadata, activeAtMs } = upload;
  return {
    uid,
    offsetBytes,
    lengthBytes,
    clientMetadata,
    expiresAtMs: activeAtMs + resumableLifeMs,
    finished,
  };
}
