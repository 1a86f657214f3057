import type { Database } from "bun:sqlite";

import { translatedFor } from "./sqlite.ts";

/** Writes of several callers in one transaction and one sync. */
export interface GroupCommit {
  /**
   * Does `work` in the next transaction, together with what others give meanwhile; resolves with its result when that is on
   * disk. Rejects with an AppError when `work` threw or the transaction could not be made.
   *
   * @param doing for the error: "add a file to the catalog"
   * @param work writes by one statement, and none before it throws: what it did is not taken back when it throws
   */
  run<T>(doing: string, work: () => T): Promise<T>;
}

interface Job {
  attempt(): void;
  settle(): void;
  reject(error: unknown): void;
}

/**
 * A transaction costs as much as the row in it: pages of a dozen indexes, and a piece of full-text index, are written to
 * the WAL anew each time. So whoever comes while one is being synced waits for the next, which takes all of them; they
 * would have waited for that next sync anyway.
 *
 * @param transact runs the given work in one transaction, once or again when another process was in the way
 * @param synced resolves when what was committed is on disk
 */
export function createGroupCommit(
  db: Database,
  transact: (work: () => void) => void | Promise<void>,
  synced: () => Promise<void>,
): GroupCommit {
  let translated = translatedFor(db);
  let waiting: Job[] = [];
  let isRunning = false;

  async function commit(jobs: Job[]): Promise<void> {
    try {
      await transact(() => {
        for (let job of jobs) job.attempt();
      });
      await synced();
    } catch (error) {
      for (let job of jobs) job.reject(error);
      return;
    }
    for (let job of jobs) job.settle();
  }

  async function commitAll(): Promise<void> {
    isRunning = true;
    // Those that this turn of the event loop still brings come along.
    await new Promise(setImmediate);
    while (waiting.length > 0) await commit(waiting.splice(0));
    isRunning = false;
  }

  return {
    run<T>(doing: string, work: () => T): Promise<T> {
      let { promise, resolve, reject } = Promise.withResolvers<T>();
      let settle: () => void;
      waiting.push({
        attempt() {
          try {
            let result = translated(doing, work);
            settle = () => resolve(result);
          } catch (error) {
            // A full disk makes SQLite take back the whole transaction; what followed would be committed by itself.
            if (!db.inTransaction) throw error;
            settle = () => reject(error);
          }
        },
        settle: () => settle(),
        reject,
      });
      if (!isRunning) void commitAll();
      return promise;
    },
  };
}
