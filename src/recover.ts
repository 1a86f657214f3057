import { type Clock, systemClock } from "./clock.ts";
import type { FileRecord } from "./domain.ts";
import { AppError, isRefusal, toAppError } from "./errors.ts";
import type { Log } from "./log.ts";
import { isOwner, type MarkedRow, markedRow, type Marks } from "./marks.ts";
import type { Deletion, FileRepository } from "./record/file-repository.ts";
import type { DeleteIntent, Journal, ObjectPlace, UploadIntent } from "./state/journal.ts";
import { prefixOfKey, quarantineKey } from "./store/key-kinds.ts";
import type { Storage } from "./store/storage.ts";
import { HOUR_MS, SECOND_MS } from "./units.ts";

/**
 * How often an abort may be refused before its parts are given up: a no that is passing (a policy being changed, a proxy) is
 * over by then, and one that is not would have the intent asked about for ever.
 */
const maxRefusals = 3;

/** What a sender waits for the undoing of a failed upload before it hears of the failure; the rest is done afterwards. */
export const undoPatienceMs = 5 * SECOND_MS;

/**
 * No request lasts this long. An intent that is older comes from before a long rest, or from a backup of the journal: then
 * its object may have been acknowledged since, and is set aside rather than removed.
 */
const oldIntentMs = HOUR_MS;

export interface RecoverDeps {
  journal: Journal;
  repository: FileRepository;
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
  marks: Marks;
  log: Log;
  /**
   * How long a request may be on its way to a bucket after its sender has ended or has given it up: what it makes then is
   * looked for once more after this time; 0 for a command that ends before it.
   */
  lateMs: number;
  clock?: Clock;
}

/** Finishes or undoes what is open in the journal. */
export interface Recovery {
  /**
   * Takes back an upload whose row has not come to be: unfinished parts, object, intent. Where the row shares an older
   * object, that is marked and only the upload's own object goes. Idempotent. When storage can't be reached the intent
   * stays open and a later `run` does the rest; so it never rejects.
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

interface Attempt {
  /** Leaves the intent open, for what a request that was given up may yet make in the bucket. */
  lookAgain: boolean;
  /** Nobody is at work on it: it was found in the journal. */
  isLeftOver: boolean;
}

export function createRecovery(deps: RecoverDeps): Recovery {
  let { journal, repository, storageFor, marks, log, lateMs, clock = systemClock } = deps;
  let atWork = new Set<string>();
  /** Uploads that were undone and are looked at once more. */
  let waiting = new Map<string, ReturnType<typeof setTimeout>>();
  let running: Promise<number> | null = null;
  /** In a row, whichever upload was asked for: a single no may be a hiccup, and nobody would look again. */
  let listRefusals = 0;
  /** Of intents that stay open: what was said about them last, and how often their abort was refused. */
  let kept = new Map<string, { reason: string; refusals: number }>();

  /** Tells whether the intent could be closed. */
  async function finishUpload(intent: UploadIntent, how: Attempt): Promise<boolean> {
    let { uid } = intent;
    let row = await repository.get(uid, { alsoHidden: true });
    if (row?.s3_key !== intent.key) {
      if (waiting.has(uid)) return false;
      // A row that shares an older object has left its own without use.
      if (row) await markLink(row);
      else if (how.isLeftOver && isOld(intent)) await setObjectAside(intent);
      await removeObject(intent, intent);
      if (!row) await marks.unlink(uid, intent);
      // What the system was asked to write has been written when the process ends; a bucket may not even have heard of it.
      if (how.lookAgain && lateMs > 0 && intent.storage !== "local") {
        lookAgainLater(uid);
        return false;
      }
    }
    journal.closeUpload(uid);
    return true;
  }

  let isOld = ({ createdAtMs }: UploadIntent) => clock.nowMs() - createdAtMs > oldIntentMs;

  async function setObjectAside({ uid, key, ...place }: UploadIntent): Promise<void> {
    let prefix = prefixOfKey(key);
    let storage = storageFor(place);
    if (prefix === null || !(await storage.head(key))) return;
    let to = quarantineKey(prefix, key);
    await storage.move(key, to);
    log.warn({ uid, key, to }, "the object of an old upload that has no row was set aside");
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
      if (intent) await attempt(intent, { lookAgain, isLeftOver: false });
    } catch (error) {
      log.warn({ uid, reason: toAppError(error).message }, "an upload could not be taken back yet");
    }
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
      // Also where the row is gone already: its mark may have been refused.
      if (!removed) await marks.gone(intent);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Refused now; an earlier try, of whose answer nobody knows, may have removed it all the same.
      if (await storageFor(intent).head(intent.key)) {
        await journal.cancelDelete(intent.uid);
        await repository.cancelDelete(intent.fileId);
        throw error;
      }
      removed = true;
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
   * @param upload the intent of an upload; null for a deletion
   * @param knownRows rows that use the object and are on their way out
   * @returns false when others use it
   */
  async function removeObject(
    place: ObjectPlace,
    upload: UploadIntent | null,
    knownRows = 0,
  ): Promise<boolean> {
    if ((await repository.countByKey(place.storage, place.bucket, place.key)) > knownRows) return false;
    let storage = storageFor(place);
    if (upload?.multipartUploadId) await abortParts(storage, upload, upload.multipartUploadId);
    if (knownRows === 0) await abortUnfinished(storage, place.key);
    await storage.delete(place.key);
    return true;
  }

  async function abortParts(storage: Storage, { uid, key }: UploadIntent, uploadId: string): Promise<void> {
    try {
      await storage.abortMultipart(key, uploadId);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      let { reason, refusals } = kept.get(uid) ?? { reason: "", refusals: 0 };
      kept.set(uid, { reason, refusals: refusals + 1 });
      if (refusals + 1 < maxRefusals) throw error;
      if (refusals + 1 > maxRefusals) return;
      log.warn(
        { uid, key, uploadId },
        "the parts of an upload are left in the bucket: it refuses to abort it",
      );
    }
  }

  /**
   * A crash between S3's answer to Create and the journal's note of it leaves an upload whose id only S3 knows; a lost
   * answer leaves one beside that which the journal knows.
   */
  async function abortUnfinished(storage: Storage, key: string): Promise<void> {
    for (;;) {
      try {
        for await (let upload of storage.listUnfinished(key)) {
          if (upload.key === key) await storage.abortMultipart(key, upload.uploadId);
        }
        listRefusals = 0;
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (++listRefusals < maxRefusals) continue;
        // Servers without that list, and policies that forbid it: nothing can be done from here, now or later, and the
        // storage has said so once for all.
        log.debug({ key, reason: toAppError(error).message }, "unfinished uploads can't be listed");
        return;
      }
    }
  }

  /** Tells whether the intent is closed. */
  async function attempt(intent: UploadIntent | DeleteIntent, how: Attempt): Promise<boolean> {
    try {
      if (intent.kind === "upload" && !(await finishUpload(intent, how))) return false;
      if (intent.kind === "delete") await finishDelete(intent);
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
      if (intent && !(await attempt(intent, { lookAgain: true, isLeftOver: true }))) left++;
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
