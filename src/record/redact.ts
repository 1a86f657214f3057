import type { Database } from "bun:sqlite";
import { basename } from "node:path";

import { AppError } from "../errors.ts";
import { closeDatabase, immediately, translatedFor } from "../sqlite.ts";
import { openCatalogWriter } from "./database.ts";

/** How long a reader's transaction is waited for; Datasette's last a second at most. */
const readerPatienceMs = 2_000;

/**
 * Empties every recorded position: the columns, and what EXIF told of it inside `metadata_json`. Gives the number of rows
 * that had one. The old values may still lie in free pages and in the WAL: what follows is up to the caller.
 *
 * @param table as the database spells it
 */
export function emptyPositions(db: Database, table: string): number {
  return db.run(
    `UPDATE "${table}" SET latitude = NULL, longitude = NULL, metadata_json = json_remove(metadata_json, '$.gps')
     WHERE latitude IS NOT NULL OR json_type(metadata_json, '$.gps') IS NOT NULL`,
  ).changes;
}

/**
 * Empties every position of a catalog that no server has open, and leaves no trace of them in its files; gives the
 * number of rows that had one. To be called under the lock of the data folder. Throws `server_busy` when a reader keeps
 * the old values in the WAL, after which it can be called again; else as openCatalogReader.
 */
export function redactPositions(options: { path: string; tableName: string }): number {
  let { db, table } = openCatalogWriter(options);
  try {
    return translatedFor(db)("empty the positions", () => {
      let emptied = immediately(db, () => emptyPositions(db, table));
      db.run(`PRAGMA busy_timeout = ${readerPatienceMs}`);
      // Free pages go, and pages in use are written without what they once held.
      db.run("VACUUM");
      let { busy } = db.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get() ?? { busy: 1 };
      if (busy !== 0) {
        throw new AppError(
          "server_busy",
          `Positions are empty, but another program that reads ${basename(options.path)} keeps the old values in ${basename(options.path)}-wal. Stop that program and run this again.`,
        );
      }
      return emptied;
    });
  } finally {
    closeDatabase(db);
  }
}
