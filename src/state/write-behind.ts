import type { Database } from "bun:sqlite";

import { immediately, translatedFor } from "../sqlite.ts";

/** How long a write may wait for another one that takes it along. */
const delayMs = 250;

/** Writes that nobody waits for, in the private database. What is given together is on disk together or not at all. */
export interface WriteBehind {
  /**
   * Does `work` with the next commit, or after a moment; `work` must not throw for what it is given.
   * @param done hears that it is written
   */
  later(work: () => void, done?: () => void): void;
  /** Does what waits, then `work`, in one transaction. When it fails what waits goes on waiting. Throws AppError. */
  commit(doing: string, work: () => void): void;
  /** Writes what still waits. To be called before the database is closed. */
  flush(): void;
}

/** @param onFailure hears of a write that could not be done by itself; it goes on waiting */
export function createWriteBehind(db: Database, onFailure: (error: unknown) => void = () => {}): WriteBehind {
  let translated = translatedFor(db);
  let waiting: { work: () => void; done: () => void }[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;

  function commit(doing: string, work: () => void): void {
    let taken = waiting.length;
    translated(doing, () =>
      immediately(db, () => {
        for (let one of waiting) one.work();
        work();
      }),
    );
    for (let { done } of waiting.splice(0, taken)) done();
    if (timer && waiting.length === 0) {
      clearTimeout(timer);
      timer = null;
    }
  }

  function flush(): void {
    if (waiting.length > 0) commit("write what was waiting into the private database", () => {});
  }

  return {
    later(work, done = () => {}) {
      waiting.push({ work, done });
      if (timer) return;
      timer = setTimeout(() => {
        timer = null;
        try {
          flush();
        } catch (error) {
          // Nobody waits for it: the next commit tries again.
          onFailure(error);
        }
      }, delayMs);
      timer.unref();
    },
    commit,
    flush,
  };
}
