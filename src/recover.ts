import { isRefusal } from "./delete-file.ts";
import { AppError, toAppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Deletion, FileRepository } from "./record/file-repository.ts";
import type { DeleteIntent, Journal, ObjectPlace, UploadIntent } from "./state/journal.ts";
import type { Storage } from "./store/storage.ts";

/**
 * How often an abort may be refused before its parts are given up: a no that is passing (a policy being changed, a proxy) is
 * over by then, and one that is not would have the intent asked about for ever.
 */
const maxRefusals = 3;

export interface RecoverDeps {
  journal: Journal;
  repository: FileRepository;
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
  log: Log;
}

/** Finishes or undoes what is open in the journal. */
export interface Recovery {
  /**
   * Takes back an upload whose row has not come to be: unfinished parts, object, intent. Idempotent. When storage can't
   * be reached the intent stays open and a later `run` does the rest; so it never rejects.
   *
   * @param lookAgain leaves the intent open in any case, for an object that may yet come to be
   */
  undoUpload(uid: string, lookAgain?: boolean): Promise<void>;
  /** Puts every file out of sight whose deletion is open. To be called before anybody is answered. */
  hideDeletions(): Promise<void>;
  /**
   * Every open intent but those of requests that are still at work. Resolves to the number of intents that had to stay
   * open because storage could not be reached.
   */
  run(): Promise<number>;
  /** Marks an intent as being worked on by a request; call the result when that is over. */
  claim(uid: string): () => void;
}

export function createRecovery({ journal, repository, storageFor, log }: RecoverDeps): Recovery {
  let atWork = new Set<string>();
  let running: Promise<number> | null = null;
  /** Of intents that stay open: what was said about them last, and how often their abort was refused. */
  let kept = new Map<string, { reason: string; refusals: number }>();

  async function finishUpload(intent: UploadIntent, lookAgain: boolean): Promise<void> {
    let row = await repository.get(intent.uid);
    // A row that shares an older object has left its own object without use.
    if (row?.s3_key !== intent.key) await removeObject(intent, intent);
    if (!lookAgain) journal.closeUpload(intent.uid);
  }

  async function finishDelete(intent: DeleteIntent): Promise<void> {
    let deletion = await hide(intent);
    try {
      await removeObject(intent, null, deletion === null ? 0 : 1);
    } catch (error) {
      if (isRefusal(error)) {
        journal.closeDelete(intent.uid);
        await repository.cancelDelete(intent.fileId);
      }
      throw error;
    }
    await repository.finishDelete(intent.fileId);
    journal.closeDelete(intent.uid);
  }

  /** Out of sight until it is gone: what is on its way out must not be shown, nor linked to. */
  function hide(intent: DeleteIntent): Promise<Deletion | null> {
    return repository.beginDelete(intent.uid, { alsoSetAside: true, alsoLeaving: true });
  }

  /** @param knownRows rows that use the object and are on their way out */
  async function removeObject(place: ObjectPlace, upload: UploadIntent | null, knownRows = 0): Promise<void> {
    if ((await repository.countByKey(place.storage, place.bucket, place.key)) > knownRows) return;
    let storage = storageFor(place);
    if (upload?.multipartUploadId) await abortParts(storage, upload, upload.multipartUploadId);
    else if (knownRows === 0) await abortUnfinished(storage, place.key);
    await deleteIfThere(storage, place.key);
  }

  async function abortParts(storage: Storage, { uid, key }: UploadIntent, uploadId: string): Promise<void> {
    try {
      await storage.abortMultipart(key, uploadId);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      let { reason, refusals } = kept.get(uid) ?? { reason: "", refusals: 0 };
      if (refusals + 1 < maxRefusals) {
        kept.set(uid, { reason, refusals: refusals + 1 });
        throw error;
      }
      log.warn(
        { uid, key, uploadId },
        "the parts of an upload are left in the bucket: it refuses to abort it",
      );
    }
  }

  /** A crash between S3's answer to Create and the journal's note of it leaves an upload whose id only S3 knows. */
  async function abortUnfinished(storage: Storage, key: string): Promise<void> {
    try {
      for await (let upload of storage.listUnfinished(key)) {
        if (upload.key === key) await storage.abortMultipart(key, upload.uploadId);
      }
    } catch (error) {
      // Servers without that list, and policies that forbid it: nothing can be done from here, now or later, and the
      // storage has said so once for all.
      if (!isRefusal(error)) throw error;
      log.debug({ key, reason: toAppError(error).message }, "unfinished uploads can't be listed");
    }
  }

  async function attempt(intent: UploadIntent | DeleteIntent, lookAgain = false): Promise<boolean> {
    try {
      await (intent.kind === "upload" ? finishUpload(intent, lookAgain) : finishDelete(intent));
      kept.delete(intent.uid);
      return true;
    } catch (error) {
      let reason = error instanceof AppError ? error.message : String(error);
      let before = kept.get(intent.uid);
      kept.set(intent.uid, { refusals: before?.refusals ?? 0, reason });
      // Each minute anew, but said once.
      let level = before?.reason === reason ? ("debug" as const) : ("warn" as const);
      log[level]({ intent: intent.kind, uid: intent.uid, key: intent.key, reason }, "an intent stays open");
      return false;
    }
  }

  async function runOnce(): Promise<number> {
    let left = 0;
    let open = journal.open();
    let uids = new Set(open.map(({ uid }) => uid));
    for (let uid of kept.keys()) if (!uids.has(uid)) kept.delete(uid);
    for (let { kind, uid } of open) {
      if (atWork.has(uid)) continue;
      // Others may have ended it while the intents before it were being looked at.
      let intent = journal.find(kind, uid);
      if (intent && !(await attempt(intent))) left++;
    }
    return left;
  }

  return {
    async undoUpload(uid, lookAgain = false) {
      try {
        let intent = journal.find("upload", uid);
        if (intent) await attempt(intent, lookAgain);
      } catch (error) {
        log.warn({ uid, reason: toAppError(error).message }, "an upload could not be taken back yet");
      }
    },
    async hideDeletions() {
      for (let intent of journal.open()) if (intent.kind === "delete") await hide(intent);
    },
    run() {
      running ??= runOnce().finally(() => (running = null));
      return running;
    },
    claim(uid) {
      atWork.add(uid);
      return () => atWork.delete(uid);
    },
  };
}

/** A bucket that forbids deleting may still tell that there is nothing to delete. */
async function deleteIfThere(storage: Storage, key: string): Promise<void> {
  try {
    await storage.delete(key);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    let found = await storage.head(key).catch(() => "could not look");
    if (found !== null) throw error;
  }
}
