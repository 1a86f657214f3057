import type { Database } from "bun:sqlite";

import type { CommitSync } from "../commit-sync.ts";
import type { FileRecord } from "../domain.ts";
import { immediately, translated } from "../sqlite.ts";

/** Rows that a repair took out of the catalog. Faults throw AppError. */
export interface RemovedRows {
  /** Durable when it resolves; a row that is known already is written anew. */
  add(row: FileRecord, reason: string, removedAtMs: number): Promise<void>;
}

/** @param db the private database of `openStateDatabase`, and how its commits get on disk */
export function createRemovedRows(db: Database, commits: CommitSync): RemovedRows {
  let insert = db.prepare<unknown, [string, string, string, number]>(
    "INSERT OR REPLACE INTO removed_rows (uid, row_json, reason, removed_at_ms) VALUES (?, ?, ?, ?)",
  );
  return {
    async add(row, reason, removedAtMs) {
      translated("keep a row that is removed", () =>
        immediately(db, () => insert.run(row.uid, JSON.stringify(row), reason, removedAtMs)),
      );
      await commits.synced();
    },
  };
}
