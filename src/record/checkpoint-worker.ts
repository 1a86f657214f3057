import type { Database } from "bun:sqlite";

import { maxIdleWalBytes, openDatabase } from "../sqlite.ts";
import { MIB } from "../units.ts";

/** A thread of its own that checkpoints the catalog: an entry point, as query-worker.ts is one. */
declare const self: Worker;

/** The path of the database, with each request. */
export type CheckpointRequest = string;
export type CheckpointAnswer =
  | {
      /** Bytes of the WAL that the next writer has to write behind; 0 when it starts anew. */
      walBytes: number;
      /** Whether every row is in the database itself. */
      done: boolean;
    }
  | { failure: string };

const pageBytes = 4096;
/**
 * A WAL of at least so many bytes is started anew as soon as nobody reads from it. While that is waited for nobody can
 * write, and everybody can read; so the larger it is, the longer it is waited for.
 */
const patience: readonly { walBytes: number; waitMs: number }[] = [
  { walBytes: 256 * MIB, waitMs: 1500 },
  { walBytes: 128 * MIB, waitMs: 250 },
  { walBytes: 32 * MIB, waitMs: 20 },
];

let catalog: Database | null = null;

self.addEventListener("message", (event: MessageEvent<CheckpointRequest>) => {
  let answer: CheckpointAnswer;
  try {
    catalog ??= openDatabase(event.data);
    answer = checkpointed(catalog);
  } catch (error) {
    answer = { failure: error instanceof Error ? error.message : String(error) };
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
  self.postMessage(answer);
});

function checkpointed(db: Database): CheckpointAnswer {
  // Moves what no reader needs any more, beside readers and writers.
  let { log, checkpointed: moved } = run(db, "PASSIVE");
  let walBytes = log * pageBytes;
  let waitMs = patience.find((step) => walBytes >= step.walBytes)?.waitMs;
  if (waitMs === undefined) return { walBytes, done: moved === log };
  db.run(`PRAGMA busy_timeout = ${waitMs}`);
  // What SQLite would cut off at the next commit, on the event loop, is cut off here.
  let { busy } = run(db, walBytes > maxIdleWalBytes ? "TRUNCATE" : "RESTART");
  return busy === 0 ? { walBytes: 0, done: true } : { walBytes, done: false };
}

function run(db: Database, mode: "PASSIVE" | "RESTART" | "TRUNCATE") {
  let answer = db.query<{ busy: number; log: number; checkpointed: number }, []>(
    `PRAGMA wal_checkpoint(${mode})`,
  );
  return answer.get() ?? { busy: 1, log: 0, checkpointed: 0 };
}
