import type { Database } from "bun:sqlite";
import { dirname } from "node:path";

import {
  closeDatabase,
  makePrivateFile,
  makePrivateFolder,
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
  translated("make the folder of the private database", () => makePrivateFolder(dirname(path)));
  translated("make the private database", () => makePrivateFile(path));
  let db = openDatabase(path);
  try {
    translated("bring the private database up to date", () => migrate(db, stateMigrations), path);
  } catch (error) {
    closeDatabase(db);
    throw error;
  }
  return db;
}
