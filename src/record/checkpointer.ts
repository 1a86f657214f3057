import type { Database } from "bun:sqlite";

import type { Log } from "../log.ts";
import { MIB, SECOND_MS } from "../units.ts";
import type { CheckpointAnswer, CheckpointRequest } from "./checkpoint-worker.ts";

/** From a commit to the checkpoint that moves it, and from one that could not move everything to the next. */
const defaultPauseMs = SECOND_MS / 2;
const longestPauseMs = 5 * SECOND_MS;
/** A WAL that is worth a word to the operator. */
const defaultLargeWalBytes = 256 * MIB;
/** SQLite's own, for when the thread is gone. */
const autocheckpointPages = 1000;

/** Moves what was committed from the WAL into the database, off the event loop. */
export interface Checkpointer {
  /** To be called after every commit. */
  committed(): void;
  /** Moves what is left, if no reader keeps it; to be called before the database is closed. */
  close(): void;
}

/**
 * Takes the checkpoints over from SQLite, which would make them inside a commit: with a reader beside it the WAL grows,
 * and what had to wait is then moved at once, on the event loop.
 */
export function createCheckpointer({
  db,
  log,
  pauseMs = defaultPauseMs,
  largeWalBytes = defaultLargeWalBytes,
}: {
  db: Database;
  log: Log;
  pauseMs?: number;
  largeWalBytes?: number;
}): Checkpointer {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isRunning = false;
  let wanted = false;
  let isClosed = false;
  let isLarge = false;
  let nextPauseMs = pauseMs;
  let worker: Worker | null = null;
  db.run("PRAGMA wal_autocheckpoint = 0");

  function start(): Worker {
    // In the binary this address holds because the build gives its entry points flat names.
    let started = new Worker(new URL("./checkpoint-worker.ts", import.meta.url));
    started.unref();
    started.addEventListener("message", (event: MessageEvent<CheckpointAnswer>) => answered(event.data));
    started.addEventListener("error", (event) => {
      event.preventDefault();
      giveUp(event.message);
    });
    return started;
  }

  function schedule(): void {
    wanted = true;
    if (timer !== null || isRunning || isClosed) return;
    timer = setTimeout(ask, nextPauseMs);
    timer.unref();
  }

  function ask(): void {
    timer = null;
    wanted = false;
    isRunning = true;
    let request: CheckpointRequest = db.filename;
    worker ??= start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
    worker.postMessage(request);
  }

  function answered(answer: CheckpointAnswer): void {
    isRunning = false;
    if (isClosed) return;
    if ("failure" in answer) {
      log.warn({ reason: answer.failure }, "could not checkpoint the catalog");
      nextPauseMs = longestPauseMs;
      schedule();
      return;
    }
    tellSize(answer.walBytes);
    nextPauseMs = answer.done ? pauseMs : Math.min(nextPauseMs * 2, longestPauseMs);
    // Somebody reads what is old: it can be moved when they have gone.
    if (wanted || !answer.done) schedule();
  }

  function tellSize(walBytes: number): void {
    let wasLarge = isLarge;
    isLarge = walBytes >= largeWalBytes;
    if (!isLarge || wasLarge) return;
    let wal_mib = Math.round(walBytes / MIB);
    log.warn({ wal_mib }, "uploads.db-wal grows: some program reads the catalog without an end");
  }

  function giveUp(reason: string): void {
    if (isClosed) return;
    log.error({ reason }, "the thread that checkpoints the catalog died: SQLite does it from now on");
    stop();
    db.run(`PRAGMA wal_autocheckpoint = ${autocheckpointPages}`);
  }

  function stop(): void {
    isClosed = true;
    if (timer !== null) clearTimeout(timer);
    worker?.terminate();
  }

  return {
    committed: schedule,
    close() {
      stop();
      try {
        // The thread's connection is still there, so that SQLite would not do it at the end of ours.
        db.run("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch {
        // Then the WAL carries the rows to the next start.
      }
    },
  };
}
