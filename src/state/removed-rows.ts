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

/**
 * Empties the positions of these rows and leaves no trace of them in the database, which nobody else may have open; gives
 * the number of rows that had one.
 */
export function emptyRemovedPositions(db: Database): number {
  return translated("empty the positions of removed rows", () => {
    if (db.query("SELECT 1 FROM removed_rows LIMIT 1").get() === null) return 0;
    let { changes } = db.run(
      `UPDATE removed_rows
       SET row_json = json_remove(json_set(row_json, '$.latitude', NULL, '$.longitude', NULL), '$.metadata.gps')
       WHERE json_extract(row_json, '$.latitude') IS NOT NULL OR json_type(row_json, '$.metadata.gps') IS NOT NULL`,
    );
    // Also when there was nothing to do: an attempt before may not have come so far.
    db.run("VACUUM");
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    return changes;
  });
}
