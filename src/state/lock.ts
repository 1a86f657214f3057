import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { AppError } from "../errors.ts";
import { closeDatabase, makePrivateFile, makePrivateFolder, translateSqliteError } from "../sqlite.ts";

export interface DataFolderLock {
  /** Lets the next server in; the end of the process, however it comes, does the same. */
  release(): void;
}

let pathOfLock = (dataFolder: string) => join(dataFolder, "internal", "lock.db");

/** Whether a server, or a command that works in its place, has ever had the data folder. */
export function wasServed(dataFolder: string): boolean {
  return existsSync(pathOfLock(dataFolder));
}

/**
 * Keeps every other server, and every repair, off a data folder for the life of this process. The lock is an open
 * BEGIN EXCLUSIVE on internal/lock.db: the kernel frees it after kill -9, also in a container whose process ids repeat.
 * Throws `server_busy` with a sentence for the operator when somebody holds it.
 *
 * @param dataFolder the folder of uploads.db; its `internal` folder is made when it is not there
 * @param command what wants it for once; null for a server
 */
export function lockDataFolder(dataFolder: string, command: string | null = null): DataFolderLock {
  let db: Database | null = null;
  try {
    makePrivateFolder(join(dataFolder, "internal"));
    let path = pathOfLock(dataFolder);
    makePrivateFile(path);
    db = new Database(path, { readwrite: true, create: true });
    db.run("PRAGMA busy_timeout = 0");
    // In WAL mode EXCLUSIVE would let a second connection read; a rollback journal shuts everybody out.
    db.run("PRAGMA journal_mode = DELETE");
    db.run("BEGIN EXCLUSIVE");
  } catch (error) {
    if (db) closeDatabase(db);
    let path = pathOfLock(dataFolder);
    let translated = translateSqliteError(error, `lock the data folder ${dataFolder}`, path);
    if (translated.code !== "server_busy") throw translated;
    throw new AppError(
      "server_busy",
      command === null
        ? `The data folder ${dataFolder} is already in use by another s3-uploads server. Stop that one first, or give this one another data_dir.`
        : `The data folder ${dataFolder} is in use by a running s3-uploads server: stop it first, and start it again after the ${command}.`,
      { cause: error },
    );
  }
  let held = db;
  return { release: () => closeDatabase(held) };
}
