import { SQLiteError } from "bun:sqlite";

import type { NewFileRecord } from "../domain.ts";
import type { AdoptResult } from "./file-repository.ts";
import type { Statements } from "./statements.ts";

/** Adds the rows one by one, in a transaction of the caller's. Throws what SQLite throws, but for rows that it refuses. */
export function adoptRows(
  statements: Pick<Statements, "insertIfNew">,
  rows: readonly NewFileRecord[],
  sharing: boolean,
): AdoptResult {
  let result: AdoptResult = { added: 0, skipped: [], refused: [] };
  for (let [position, row] of rows.entries()) {
    try {
      if (statements.insertIfNew(row, sharing)) result.added++;
      else result.skipped.push(position);
    } catch (error) {
      if (!isConstraint(error)) throw error;
      result.refused.push({ position, reason: error.message });
    }
  }
  return result;
}

/** The statement alone is undone; what is before it in the transaction stays. */
function isConstraint(error: unknown): error is SQLiteError {
  return error instanceof SQLiteError && (error.code ?? "").startsWith("SQLITE_CONSTRAINT");
}
