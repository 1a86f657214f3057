import type { Clock } from "./clock.ts";
import type { DeleteFile } from "./delete-file.ts";
import type { FileRecord } from "./domain.ts";
import { AppError, isRefusal, toAppError } from "./errors.ts";
import type { Ids } from "./ids.ts";
import type { Log } from "./log.ts";
import type { FileRepository } from "./record/file-repository.ts";
import type { TrashedFile, TrashTable } from "./state/trash-table.ts";
import { MINUTE_MS, SECOND_MS } from "./units.ts";

/** How long a deletion from a page can be undone. */
export const undoMs = 30 * SECOND_MS;
/** First and longest wait after a deletion that failed, as a rule because storage is away. */
const firstRetryMs = 5 * SECOND_MS;
const longestRetryMs = MINUTE_MS;
/** What storage refuses has to be allowed by somebody first. */
const refusedRetryMs = 10 * MINUTE_MS;
/** Files that go for good at the same time. */
const maxAtOnce = 8;

/** What can still be undone of one deletion. */
export interface Undoable {
  batch: string;
  fileIds: number[];
  msLeft: number;
}

export interface RestoreResult {
  restored: number[];
  /** Those that are not to be had back: `gone`, or the fault that kept them. */
  failed: { id: string; error: AppError }[];
}

/**
 * Files that were deleted on a page: out of sight at once, gone for good after `undoMs`, and back as they were when
 * somebody undoes it before. All of it outlives a restart.
 */
export interface Trash {
  /** Puts what the table has out of sight. To be called before anybody is answered, and before recovery runs. */
  load(): Promise<void>;
  /** Durable when it resolves. `missing` are those that are not there. */
  put(idsOrUids: string[]): Promise<{ undoable: Undoable; missing: string[] }>;
  /** Durable when it resolves. Until the time is over an undo wins; from then on the deletion does. */
  restore(idsOrUids: string[]): Promise<RestoreResult>;
  /** What is left of a deletion to undo, or null. */
  find(batch: string): Undoable | null;
  /** Begins to remove what is due: at once what was due while the server was down, the rest when its time is over. */
  start(): void;
  stop(): void;
}

export interface TrashDeps {
  table: TrashTable;
  repository: FileRepository;
  deleteFile: DeleteFile;
  /** For what the table keeps. */
  clock: Clock;
  /** For what is due in this process; default: the same. */
  steady?: Clock;
  ids: Ids;
  log: Log;
}

interface Entry extends TrashedFile {
  /** The one who changed it from `waiting` has it: an undo, or the deletion for good. */
  state: "waiting" | "returning" | "going";
  retryAtMs: number;
  retryMs: number;
  /** What was logged about it last. */
  reason: string;
}

export function createTrash(deps: TrashDeps): Trash {
  let { table, repository, deleteFile, clock, steady = clock, ids, log } = deps;
  let entries = new Map<number, Entry>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isRunning = false;

  let keep = (file: TrashedFile) => {
    entries.set(file.fileId, { ...file, state: "waiting", retryAtMs: 0, retryMs: firstRetryMs, reason: "" });
  };

  async function load(): Promise<void> {
    for (let file of table.all()) {
      await repository.setAside(file.uid);
      // A clock that was set back must not make a deletion wait for years.
      let leftMs = Math.min(file.dueAtMs - clock.nowMs(), undoMs);
      keep({ ...file, dueAtMs: steady.nowMs() + leftMs });
    }
  }

  function find(idOrUid: string): Entry | undefined {
    let byId = entries.get(Number(idOrUid));
    return byId ?? entries.values().find((entry) => entry.uid === idOrUid);
  }

  async function put(idsOrUids: string[]) {
    let records: FileRecord[] = [];
    let missing: string[] = [];
    for (let id of idsOrUids) {
      let record = await repository.setAside(id);
      if (record) records.push(record);
      else missing.push(id);
    }
    let batch = ids.uid();
    let dueAtMs = clock.nowMs() + undoMs;
    let files = records.map(({ id, uid }) => ({ fileId: id, uid, batch, dueAtMs }));
    try {
      if (files.length > 0) await table.add(files);
    } catch (error) {
      for (let { id } of records) await repository.bringBack(id);
      throw error;
    }
    for (let file of files) keep({ ...file, dueAtMs: steady.nowMs() + undoMs });
    schedule();
    return { undoable: { batch, fileIds: files.map((file) => file.fileId), msLeft: undoMs }, missing };
  }

  async function restore(idsOrUids: string[]): Promise<RestoreResult> {
    let restored: number[] = [];
    let failed: RestoreResult["failed"] = [];
    let mine: Entry[] = [];
    for (let id of idsOrUids) {
      let entry = find(id);
      if (entry?.state === "waiting" && steady.nowMs() < entry.dueAtMs) {
        entry.state = "returning";
        mine.push(entry);
        continue;
      }
      // Undone already, by a second click or another window.
      let there = entry ? null : await repository.get(id);
      if (there) restored.push(there.id);
      else failed.push({ id, error: new AppError("gone", tooLate) });
    }
    try {
      if (mine.length > 0) await table.remove(mine.map((entry) => entry.fileId));
    } catch (error) {
      for (let entry of mine) entry.state = "waiting";
      schedule();
      throw error;
    }
    for (let { fileId } of mine) {
      entries.delete(fileId);
      // Null when recovery is finishing a deletion that had begun before a crash.
      if (await repository.bringBack(fileId)) restored.push(fileId);
      else failed.push({ id: String(fileId), error: new AppError("gone", tooLate) });
    }
    return { restored, failed };
  }

  async function remove(entry: Entry): Promise<void> {
    try {
      // Not by its id, which is another file's in a catalog that was made anew.
      await deleteFile(entry.uid, { alsoSetAside: true });
      log.info({ id: entry.fileId, uid: entry.uid }, "file deleted for good");
    } catch (thrown) {
      let error = toAppError(thrown);
      // Gone already, or recovery is at it: then an intent in the journal sees to the rest.
      if (error.code !== "not_found") return tryAgainLater(entry, error);
    }
    try {
      await table.remove([entry.fileId]);
      entries.delete(entry.fileId);
    } catch (thrown) {
      tryAgainLater(entry, toAppError(thrown));
    }
  }

  function tryAgainLater(entry: Entry, error: AppError): void {
    // Tried again and again, but said once.
    let level = error.message === entry.reason ? ("debug" as const) : ("warn" as const);
    log[level]({ id: entry.fileId, code: error.code, reason: error.message }, "a deletion has to wait");
    entry.reason = error.message;
    entry.state = "waiting";
    entry.retryAtMs = steady.nowMs() + (isRefusal(error) ? refusedRetryMs : entry.retryMs);
    entry.retryMs = Math.min(entry.retryMs * 2, longestRetryMs);
  }

  function schedule(): void {
    if (!isRunning) return;
    let dueMs = entries
      .values()
      .filter((entry) => entry.state === "waiting")
      .reduce((earliest, entry) => Math.min(earliest, dueOf(entry)), Number.POSITIVE_INFINITY);
    if (timer) clearTimeout(timer);
    timer = null;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    // No longer than it takes a new file to be due: what is due later is looked at again.
    let waitMs = Math.min(Math.max(0, dueMs - steady.nowMs()), undoMs);
    timer = setTimeout(() => void removeDue(), waitMs);
    // A server that ends does not wait: the table knows, and the next start goes on.
    timer.unref();
  }

  async function removeDue(): Promise<void> {
    timer = null;
    let nowMs = steady.nowMs();
    let due = entries
      .values()
      .filter((entry) => entry.state === "waiting" && dueOf(entry) <= nowMs)
      .toArray();
    // All at once: the last must not be somebody else's while the first is being removed.
    for (let entry of due) entry.state = "going";
    let queue = due.values();
    let work = async () => {
      for (let entry of queue) await remove(entry);
    };
    await Promise.all(Array.from({ length: maxAtOnce }, work));
    schedule();
  }

  return {
    load,
    put,
    restore,
    find(batch) {
      let nowMs = steady.nowMs();
      let left = entries
        .values()
        .filter((entry) => entry.batch === batch && entry.state === "waiting" && entry.dueAtMs > nowMs)
        .toArray();
      let [first] = left;
      if (!first) return null;
      return { batch, fileIds: left.map((entry) => entry.fileId), msLeft: first.dueAtMs - nowMs };
    },
    start() {
      isRunning = true;
      schedule();
    },
    stop() {
      isRunning = false;
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}

function dueOf({ dueAtMs, retryAtMs }: Entry): number {
  return Math.max(dueAtMs, retryAtMs);
}

const tooLate = "The time to undo this is over: the file is deleted for good.";
