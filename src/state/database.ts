import type { Database } from "bun:sqlite";
import { dirname, join } from "node:path";

import { refuseDamagedFiles } from "../damaged-database.ts";
import {
  closeDatabase,
  isNewDatabase,
  makePrivateFile,
  makePrivateFolder,
  makeWay,
  migrate,
  openDatabase,
  translated,
} from "../sqlite.ts";
import { stateMigrations } from "./migrations.ts";

/**
 * Opens the private database (journal, idempotency, tokens, web logins), making its folder with mode 0700 and bringing
 * its schema up to date. Throws `internal_error`, also for a database of a newer program, `disk_full` or `server_busy`.
 *
 * @param path of state.db, in a folder that holds nothing public
 */
export function openStateDatabase(path: string): Database {
  refuseLostState(path);
  translated("make the folder of the private database", () => makePrivateFolder(dirname(path)));
  translated("make the private database", () => {
    makeWay(path);
    makePrivateFile(path);
  });
  let db = openDatabase(path);
  try {
    translated("bring the private database up to date", () => migrate(db, stateMigrations), path);
  } catch (error) {
    closeDatabase(db);
    throw error;
  }
  return db;
}

/**
 * Throws when the private database has been in use and is empty now, as a power cut may leave it. One that is empty because its
 * making was cut off has no catalog beside it: that is made after it.
 */
export function refuseLostState(path: string): void {
  let catalog = join(dirname(path), "..", "uploads.db");
  translated(
    "open the private database",
    () => refuseDamagedFiles(path, () => !isNewDatabase(catalog)),
    path,
  );
}
