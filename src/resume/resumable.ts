import type { Admission } from "../admission.ts";
import type { Allowances, Hold } from "../allowance.ts";
import type { ByteStream, StorageName } from "../domain.ts";
import { AppError, type ErrorCode, toAppError } from "../errors.ts";
import type { Ids } from "../ids.ts";
import type { Log } from "../log.ts";
import type { Recovery } from "../recover.ts";
import type { ResumableUpload } from "../state/resumable-table.ts";
import type { Storage } from "../store/storage.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../units.ts";
import { type FinishDeps, type Finished, finishUpload } from "./finish.ts";
import type { Intake } from "./intake.ts";
import { type Checksum, type ReceiveDeps, receivePiece } from "./receive.ts";
import { headBytes } from "./verdict.ts";

export const noSuchUpload = "There is no such upload.";
/** How long an upload is kept after its last byte, and what became of it after its end. */
export const resumableLifeMs = DAY_MS;
/** Each may hold a part's worth of bytes in the private database. */
const maxOpenUploads = 10_000;
const sweepEveryMs = MINUTE_MS;
/** A sender that has been silent for this long is taken for gone by whoever asks how far its upload has come. */
const quietMs = 2 * SECOND_MS;
/** What a request that has to make way gets to put its bytes into storage. */
const flushMs = 3 * SECOND_MS;
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

export interface NewUpload extends Pick<ResumableUpload, "sender" | "folder" | "holder"> {
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
  /** The request's own. */
  signal: AbortSignal;
  log: Log;
}

/**
 * Uploads that go on after an interruption, whatever protocol they come by. What an offset says is on disk or in the
 * bucket; it survives a crash.
 */
export interface Resumable {
  /** @throws AppError type_not_allowed, file_too_large, quota_exceeded, permission_denied, too_many_requests */
  create(file: NewUpload): Promise<ResumableStatus>;
  /** Whoever began it; null for nobody in particular, and for what is not there. */
  senderOf(uid: string): string | null;
  /** @throws AppError not_found, gone */
  status(uid: string): Promise<ResumableStatus>;
  /**
   * Adds bytes; a request that is adding bytes already has to make way. With the last byte the file is recorded before
   * this resolves, or soon after when that takes long. A file that can't be taken ends its upload.
   *
   * @throws AppError not_found, gone, wrong_offset, file_too_large, bad_request (another length), wrong_checksum, server_busy,
   *   quota_exceeded, what refuses a file, what cut the body short, storage's own
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
  ids: Ids;
  log: Log;
}

/** A request that is adding bytes. */
interface Session {
  intake: Intake | null;
  makeWay(reason: AppError): void;
  /** Never rejects. */
  ended: Promise<void>;
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
  let { admission, allowances, clock, ids, log } = deps;
  let sessions = new Map<string, Session>();
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

  /** Of one that may have been finished before. */
  async function statusNow(uid: string): Promise<ResumableStatus> {
    let upload = find(uid);
    if (upload.fileId === null) return statusOf(upload, null);
    let record = await repository.get(upload.fileId);
    if (!record) throw new AppError("gone", "The file of this upload has been deleted.");
    return statusOf(upload, { record, duplicateOf: null });
  }

  /**
   * Room for the whole file, as far as anybody knows how large it is. Only while somebody adds bytes and while it is being
   * recorded: what stands still takes no room from others, and has to find some again.
   */
  function beginCounting({ holder }: Pick<ResumableUpload, "holder">, bytes: number | null): Hold | null {
    return holder && allowances.of(holder).begin(bytes);
  }

  /** Resolves when nobody adds bytes, and nobody has begun to since. */
  async function takeOver(uid: string): Promise<void> {
    for (let session = sessions.get(uid); session; session = sessions.get(uid)) {
      session.makeWay(new AppError("wrong_offset", "Another request goes on with this upload."));
      await session.ended;
    }
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
  function finish(upload: ResumableUpload, requestLog: Log): Promise<Finished> {
    let { uid } = upload;
    let running = finishing.get(uid);
    if (running) return running;
    let work = finishNow(upload, requestLog).finally(() => finishing.delete(uid));
    // Nobody may be waiting any more.
    work.catch(() => {});
    finishing.set(uid, work);
    return work;
  }

  async function finishNow(upload: ResumableUpload, requestLog: Log): Promise<Finished> {
    let { uid } = upload;
    let place = storageFor(upload);
    let hold: Hold | null = null;
    try {
      hold = beginCounting(upload, upload.offsetBytes);
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

  /** Waits for the row, but not longer than a proxy does. */
  async function finishedSoon(upload: ResumableUpload, requestLog: Log): Promise<ResumableStatus> {
    let finished = await within(finish(upload, requestLog), answerWithinMs);
    return statusOf(table.find(upload.uid) ?? upload, finished);
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
    let soft = new AbortController();
    let hard = new AbortController();
    let { promise: ended, resolve } = Promise.withResolvers<void>();
    let session: Session = {
      intake: null,
      ended,
      makeWay(reason) {
        soft.abort(reason);
        setTimeout(() => hard.abort(reason), flushMs).unref();
      },
    };
    let { offsetBytes, lengthBytes, mostBytes, checksum } = request;
    // Not final when there is no room: others who send just now may leave some.
    let hold = beginCounting(found, found.lengthBytes ?? lengthBytes ?? offsetBytes);
    sessions.set(uid, session);
    try {
      if (lengthBytes !== null && found.lengthBytes === null) await table.setLength(uid, lengthBytes);
      let upload = await withSoundVerdict(find(uid));
      let bytes = request.body(AbortSignal.any([request.signal, soft.signal]));
      let body = hold?.counted(bytes, offsetBytes) ?? bytes;
      let piece = { body, mostBytes, checksum, signal: hard.signal };
      await receivePiece(upload, piece, storageFor(upload), deps, (intake) => (session.intake = intake));
    } catch (error) {
      await endIfFinal(found, error);
      throw error;
    } finally {
      hold?.release();
      sessions.delete(uid);
      resolve();
    }
  }

  function checkRequest(upload: ResumableUpload, request: AppendRequest): void {
    let { offsetBytes, lengthBytes, mostBytes } = request;
    if (offsetBytes !== upload.offsetBytes) {
      throw new AppError(
        "wrong_offset",
        `The upload stands at ${upload.offsetBytes}, not at ${offsetBytes}.`,
      );
    }
    if (lengthBytes !== null && upload.lengthBytes !== null && lengthBytes !== upload.lengthBytes) {
      throw new AppError(
        "bad_request",
        "The length of the upload was told already, and it was another one.",
        {
          details: { parameter: "Upload-Length" },
        },
      );
    }
    let length = upload.lengthBytes ?? lengthBytes;
    if (length !== null && length < offsetBytes) {
      throw new AppError("bad_request", `The length is less than the ${offsetBytes} bytes that are here.`);
    }
    if (length !== null) policy.checkSize(length, upload.filename);
    let endBytes = offsetBytes + (mostBytes ?? 0);
    if (endBytes <= (length ?? deps.maxFileBytes)) return;
    throw new AppError("file_too_large", "More bytes were announced than the upload has left.", {
      details: { limit_bytes: length ?? deps.maxFileBytes, actual_bytes: endBytes },
    });
  }

  async function append(uid: string, request: AppendRequest): Promise<ResumableStatus> {
    let before = find(uid);
    // An offset never goes back: what is behind it can't come to fit.
    if (request.offsetBytes < before.offsetBytes) checkRequest(before, request);
    let leave = await admission.enter(request.mostBytes, request.signal);
    try {
      // Of several that waited one is first; nothing is awaited from here to the place where it takes the upload.
      do await takeOver(uid);
      while (sessions.has(uid));
      let upload = find(uid);
      checkRequest(upload, request);
      if (upload.state === "finished") return await statusNow(uid);
      if (upload.offsetBytes !== upload.lengthBytes) await receive(upload, request);
    } finally {
      leave();
    }
    let upload = find(uid);
    if (upload.offsetBytes !== upload.lengthBytes) return statusOf(upload, null);
    return finishedSoon(upload, request.log);
  }

  async function sweep(): Promise<void> {
    let nowMs = clock.nowMs();
    for (let upload of table.openUntouchedSince(nowMs - resumableLifeMs)) {
      // Its sender believes it is done; it is tried again below.
      if (upload.offsetBytes === upload.lengthBytes || sessions.has(upload.uid)) continue;
      await end(upload, "expired");
    }
    table.forget(nowMs - resumableLifeMs);
    for (let upload of table.openAndWhole()) {
      if (stopping.signal.aborted) return;
      await finish(upload, log).catch(() => {});
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

    async status(uid) {
      find(uid);
      let session = sessions.get(uid);
      let quietSinceMs = session?.intake?.waitingSinceMs ?? Infinity;
      if (performance.now() - quietSinceMs >= quietMs) await takeOver(uid);
      let running = finishing.get(uid);
      if (running) await within(running, answerWithinMs).catch(() => {});
      return statusNow(uid);
    },

    append,

    async terminate(uid) {
      find(uid);
      await takeOver(uid);
      await finishing.get(uid)?.catch(() => {});
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
      for (let session of sessions.values()) session.makeWay(reason);
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

/** What comes of it within the time, else null. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), ms)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs at most so many at a time, the others in their order. */
function createTurns(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  let waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}
