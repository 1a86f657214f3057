import { AppError, isRefusal, toAppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Deletion, FileRepository } from "./record/file-repository.ts";
import type { DeleteIntent, Journal, ObjectPlace, UploadIntent } from "./state/journal.ts";
import type { Storage } from "./store/storage.ts";

export interface RecoverDeps {
  journal: Journal;
  repository: FileRepository;
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
  log: Log;
  /**
   * How long a request may be on its way to a bucket after its sender has ended or has given it up: what it makes then is
   * looked for once more after this time.
   */
  lateMs: number;
}

/** Finishes or undoes what is open in the journal. */
export interface Recovery {
  /**
   * Takes back an upload whose row has not come to be: unfinished parts, object, intent. Idempotent. When storage can't
   * be reached the intent stays open and a later `run` does the rest; so it never rejects.
   *
   * @param lookAgain leaves the intent open, for what a request that was given up may yet make in the bucket
   */
  undoUpload(uid: string, lookAgain?: boolean): Promise<void>;
  /** Puts every file out of sight whose deletion is open. To be called before anybody is answered. */
  hideDeletions(): Promise<void>;
  /**
   * Every open intent but those of requests that are still at work. Resolves to the number of intents that had to stay
   * open, because storage could not be reached or has to be looked at once more.
   */
  run(): Promise<number>;
  /** Looks at nothing any more by itself. */
  stop(): void;
  /** Marks an intent as being worked on by a request; call the result when that is over. */
  claim(uid: string): () => void;
}

export function createRecovery({ journal, repository, storageFor, log, lateMs }: RecoverDeps): Recovery {
  let atWork = new Set<string>();
  /** Uploads that were undone and are looked at once more. */
  let waiting = new Map<string, ReturnType<typeof setTimeout>>();
  let running: Promise<number> | null = null;

  /** Tells whether the intent could be closed. */
  async function finishUpload(intent: UploadIntent, lookAgain: boolean): Promise<boolean> {
    let { uid } = intent;
    let row = await repository.get(uid);
    // A row that shares an older object has left its own object without use.
    if (row?.s3_key !== intent.key) {
      if (waiting.has(uid)) return false;
      await removeObject(intent, intent.multipartUploadId);
      // What the system was asked to write has been written when the process ends; a bucket may not even have heard of it.
      if (lookAgain && intent.storage !== "local") {
        lookAgainLater(uid);
        return false;
      }
    }
    journal.closeUpload(uid);
    return true;
  }

  function lookAgainLater(uid: string): void {
    let timer = setTimeout(() => {
      waiting.delete(uid);
      void undoUpload(uid);
    }, lateMs);
    timer.unref();
    waiting.set(uid, timer);
  }

  async function undoUpload(uid: string, lookAgain = false): Promise<void> {
    try {
      let intent = journal.find("upload", uid);
      if (intent) await attempt(intent, lookAgain);
    } catch (error) {
      log.warn({ uid, reason: toAppError(error).message }, "an upload could not be taken back yet");
    }
  }

  async function finishDelete(intent: DeleteIntent): Promise<void> {
    let deletion = await hide(intent);
    try {
      await removeObject(intent, null, deletion === null ? 0 : 1);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Refused now; an earlier try, of whose answer nobody knows, may have removed it all the same.
      if (await storageFor(intent).head(intent.key)) {
        await journal.cancelDelete(intent.uid);
        await repository.cancelDelete(intent.fileId);
        throw error;
      }
    }
    await repository.finishDelete(intent.fileId);
    journal.closeDelete(intent.uid);
  }

  /** Out of sight until it is gone: what is on its way out must not be shown, nor linked to. */
  function hide(intent: DeleteIntent): Promise<Deletion | null> {
    return repository.beginDelete(intent.uid, { alsoSetAside: true, alsoLeaving: true });
  }

  /** @param knownRows rows that use the object and are on their way out */
  async function removeObject(
    place: ObjectPlace,
    multipartUploadId: string | null,
    knownRows = 0,
  ): Promise<void> {
    if ((await repository.countByKey(place.storage, place.bucket, place.key)) > knownRows) return;
    let storage = storageFor(place);
    if (multipartUploadId !== null) await storage.abortMultipart(place.key, multipartUploadId);
    if (knownRows === 0) await abortUnfinished(storage, place.key);
    await storage.delete(place.key);
  }

  /**
   * A crash between S3's answer to Create and the journal's note of it leaves an upload whose id only S3 knows; a lost
   * answer leaves one beside that which the journal knows.
   */
  async function abortUnfinished(storage: Storage, key: string): Promise<void> {
    try {
      for await (let upload of storage.listUnfinished(key)) {
        if (upload.key === key) await storage.abortMultipart(key, upload.uploadId);
      }
    } catch (error) {
      // Servers without that list, and policies that forbid it: nothing can be done from here, now or later.
      if (toAppError(error).code !== "storage_error") throw error;
      log.warn({ key, reason: toAppError(error).message }, "unfinished uploads can't be listed");
    }
  }

  /** Tells whether the intent is closed. */
  async function attempt(intent: UploadIntent | DeleteIntent, lookAgain: boolean): Promise<boolean> {
    try {
      if (intent.kind === "upload") return await finishUpload(intent, lookAgain);
      await finishDelete(intent);
      return true;
    } catch (error) {
      let reason = error instanceof AppError ? error.message : String(error);
      log.warn({ intent: intent.kind, uid: intent.uid, key: intent.key, reason }, "an intent stays open");
      return false;
    }
  }

  async function runOnce(): Promise<number> {
    let left = 0;
    for (let { kind, uid } of journal.open()) {
      if (atWork.has(uid)) continue;
      // Others may have ended it while the intents before it were being looked at.
      let intent = journal.find(kind, uid);
      if (intent && !(await attempt(intent, true))) left++;
    }
    return left;
  }

  return {
    undoUpload,
    async hideDeletions() {
      for (let intent of journal.open()) if (intent.kind === "delete") await hide(intent);
    },
    run() {
      running ??= runOnce().finally(() => (running = null));
      return running;
    },
    stop() {
      for (let timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
    claim(uid) {
      atWork.add(uid);
      return () => atWork.delete(uid);
    },
  };
}
