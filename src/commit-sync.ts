import type { Database } from "bun:sqlite";
import { closeSync, fdatasync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

import { AppError } from "./errors.ts";

/** Puts the commits of one WAL database on disk. */
export interface CommitSync {
  /**
   * Resolves when everything that was committed before the call is on disk. Calls that come while a sync is under way
   * share the next one. Rejects with `internal_error` when the system can't write; what is on disk is then unknown, also
   * later, so that the process has to end.
   */
  synced(): Promise<void>;
  /** To be called when nobody waits any more. */
  close(): void;
}

/**
 * What `synchronous=FULL` does after each commit, off the event loop and once for all commits that wait: a disk that takes
 * 10 ms for a sync would else hold up every transfer for as long, for each file anew. It is the same sync of the same
 * file, `-wal`; the frames before it SQLite itself syncs whenever it moves them (synchronous=NORMAL).
 *
 * @param onFailure hears of the first sync that fails
 */
export function createCommitSync(
  db: Database,
  onFailure: (error: AppError) => void = () => {},
  syncFile: (descriptor: number) => Promise<void> = promisify(fdatasync),
): CommitSync {
  let path = `${db.filename}-wal`;
  let descriptor: number | null = null;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let failure: AppError | null = null;
  db.run("PRAGMA synchronous = NORMAL");

  /** SQLite makes the file with the first commit, and keeps it (see openDatabase). */
  function openWal(): number {
    if (descriptor !== null) return descriptor;
    let folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
    return (descriptor = openSync(path, "r+"));
  }

  async function sync(): Promise<void> {
    if (failure) throw failure;
    try {
      await syncFile(openWal());
    } catch (error) {
      let reason = error instanceof Error ? error.message : String(error);
      failure = new AppError("internal_error", `Could not sync ${path}: ${reason}`, { cause: error });
      onFailure(failure);
      throw failure;
    }
  }

  function start(): Promise<void> {
    let mine = sync().finally(() => {
      if (running === mine) running = null;
    });
    running = mine;
    return mine;
  }

  /** Begins when the sync under way has ended: that one may have begun before the caller's commit. */
  async function startAfter(current: Promise<void>): Promise<void> {
    await current.catch(() => {});
    next = null;
    await start();
  }

  return {
    synced() {
      if (next) return next;
      if (!running) return start();
      next = startAfter(running);
      return next;
    },
    close() {
      let open = descriptor;
      descriptor = null;
      if (open === null) return;
      if (running) void running.catch(() => {}).finally(() => closeSync(open));
      else closeSync(open);
    },
  };
}
