import { isRefusal } from "./delete-file.ts";
import type { FileRecord } from "./domain.ts";
import { AppError, toAppError } from "./errors.ts";
import type { Log } from "./log.ts";
import { isOwner, type MarkedRow, markedRow, type Marks } from "./marks.ts";
import type { Deletion, FileRepository } from "./record/file-repository.ts";
import type { DeleteIntent, Journal, ObjectPlace, UploadIntent } from "./state/journal.ts";
import type { Storage } from "./store/storage.ts";

export interface RecoverDeps {
  journal: Journal;
  repository: FileRepository;
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
  marks: Marks;
  log: Log;
}

/** Finishes or undoes what is open in the journal. */
export interface Recovery {
  /**
   * Takes back an upload whose row has not come to be: unfinished parts, object, intent. Where the row shares an older
   * object, that is marked and only the upload's own object goes. Idempotent. When storage can't be reached the intent stays open and a later `run` does the rest; so it never rejects.
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

export function createRecovery({ journal, repository, storageFor, marks, log }: RecoverDeps): Recovery {
  let atWork = new Set<string>();
  let running: Promise<number> | null = null;

  async function finishUpload(intent: UploadIntent, lookAgain: boolean): Promise<void> {
    let row = await repository.get(intent.uid, { alsoHidden: true });
    if (row?.s3_key !== intent.key) {
      // A row that shares an older object has left its own without use.
      if (row) await markLink(row);
      await removeObject(intent, intent.multipartUploadId);
    }
    if (!lookAgain) journal.closeUpload(intent.uid);
  }

  /** A deletion removes the mark when it has removed the row, so looking after the mark is there leaves none behind. */
  async function markLink(row: FileRecord): Promise<void> {
    await marks.link(row);
    if (await repository.get(row.uid, { alsoHidden: true })) return;
    await clearMarks(markedRow(row));
  }

  async function clearMarks(row: MarkedRow): Promise<void> {
    await marks.clear(row, (await repository.countByKey(row.storage, row.bucket, row.key)) > 0);
  }

  async function finishDelete(intent: DeleteIntent): Promise<void> {
    let deletion = await hide(intent);
    let removed = false;
    try {
      removed = await removeObject(intent, null, deletion === null ? 0 : 1);
      if (deletion && !removed) await marks.gone(intent);
    } catch (error) {
      if (isRefusal(error)) {
        journal.closeDelete(intent.uid);
        await repository.cancelDelete(intent.fileId);
      }
      throw error;
    }
    // By the row and not by the intent: in a catalog that was rebuilt the same file has another id.
    if (deletion) await repository.finishDelete(deletion.record.id);
    if (!(deletion && removed && isOwner(intent))) await clearMarks(intent);
    journal.closeDelete(intent.uid);
  }

  /** Out of sight until it is gone: what is on its way out must not be shown, nor linked to. */
  function hide(intent: DeleteIntent): Promise<Deletion | null> {
    return repository.beginDelete(intent.uid, { alsoSetAside: true, alsoLeaving: true });
  }

  /**
   * @param knownRows rows that use the object and are on their way out
   * @returns false when others use it
   */
  async function removeObject(
    place: ObjectPlace,
    multipartUploadId: string | null,
    knownRows = 0,
  ): Promise<boolean> {
    if ((await repository.countByKey(place.storage, place.bucket, place.key)) > knownRows) return false;
    let storage = storageFor(place);
    if (multipartUploadId !== null) await storage.abortMultipart(place.key, multipartUploadId);
    else if (knownRows === 0) await abortUnfinished(storage, place.key);
    await storage.delete(place.key);
    return true;
  }

  /** A crash between S3's answer to Create and the journal's note of it leaves an upload whose id only S3 knows. */
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

  async function attempt(intent: UploadIntent | DeleteIntent, lookAgain = false): Promise<boolean> {
    try {
      await (intent.kind === "upload" ? finishUpload(intent, lookAgain) : finishDelete(intent));
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
