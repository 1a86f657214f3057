import { Database, SQLiteError } from "bun:sqlite";
import { copyFileSync } from "node:fs";

/** Rows that are in the catalog itself, whatever its WAL has; null when it was copied while pages moved. */
export function movedRows(path: string): number | null {
  let copy = `${path}.without-wal`;
  copyFileSync(path, copy);
  try {
    using db = new Database(copy, { readonly: true });
    let isThere = db.query("SELECT 1 FROM sqlite_schema WHERE name = 's3_uploads'").get() !== null;
    if (!isThere) return 0;
    return db.query<{ n: number }, []>("SELECT count(*) AS n FROM s3_uploads").get()?.n ?? null;
  } catch (error) {
    if (error instanceof SQLiteError && error.code === "SQLITE_CORRUPT") return null;
    throw error;
  }
}
