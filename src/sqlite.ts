import { constants, Database, SQLiteError } from "bun:sqlite";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants as modes,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname } from "node:path";

import { damagedDatabase, isDamage, refuseDamagedFiles } from "./damaged-database.ts";
import { AppError } from "./errors.ts";
import { MIB } from "./units.ts";

/** What record/ and state/ share: how a database is opened, migrated and closed, and what its errors mean. */

/** How long a writer waits for another process (a snapshot, a repair) before it gives up. */
const busyTimeoutMs = 5_000;
/** What of that may block a server, and how often it looks again. */
const blockingMs = 20;
const busyPauseMs = 50;
/** A WAL that a long reader let grow is cut back to this once it can be. */
export const maxIdleWalBytes = 64 * MIB;
/** Up to here a look at every page takes a tenth of a second, which a start can wait for. */
export const maxCheckedAtStartBytes = 32 * MIB;

/**
 * Opens (or makes, with mode 0600) a database in WAL mode whose commits are on disk when they return, until
 * createCommitSync takes that over.
 *
 * The -wal and -shm files stay after a clean close: without them a reader with another uid could not open the file,
 * because it may not create them.
 */
export function openDatabase(path: string): Database {
  let opening = () => {
    refuseDamagedFiles(path);
    makeWay(path);
    // SQLite gives -wal and -shm the mode of the database itself, so it has to be right before SQLite sees it. One that is
    // there may be open in this process, and whoever closes a file loses every lock of its process on it (POSIX): another
    // program would then take itself for the last one and remove the -wal that we go on to write to.
    if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
    let db = new Database(path, { readwrite: true, create: true, strict: true });
    try {
      db.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
      db.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      db.run("PRAGMA journal_mode = WAL");
      db.run("PRAGMA synchronous = FULL");
      db.run("PRAGMA foreign_keys = ON");
      db.run(`PRAGMA journal_size_limit = ${maxIdleWalBytes}`);
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  };
  return translated(`open ${basename(path)}`, opening, path);
}

/** An empty -wal that has outlived its database would make the next one look like one that has lost its contents. */
export function makeWay(path: string): void {
  if (existsSync(path)) return;
  for (let end of ["-wal", "-shm"]) rmSync(path + end, { force: true });
}

/** For a server's own writes: SQLite's waiting would hold up the event loop. See `patiently`. */
export function waitWithoutBlocking(db: Database): void {
  db.run(`PRAGMA busy_timeout = ${blockingMs}`);
}

/** Runs a write again and again while another process holds the database, for as long as a writer may wait. */
export async function patiently<T>(write: () => T): Promise<T> {
  let endMs = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      return write();
    } catch (error) {
      let isBusy = error instanceof AppError && error.code === "server_busy";
      if (!isBusy || performance.now() > endMs) throw error;
    }
    await Bun.sleep(busyPauseMs);
  }
}

/**
 * A crash while a database was being made leaves a journal beside it, which only a writer can roll back. Once it is made
 * it has a WAL instead.
 */
function rollBack(path: string): void {
  if (existsSync(`${path}-journal`)) closeDatabase(openDatabase(path));
}

/** Not there, or without a byte, as a crash leaves one that was being made: nothing is in it. */
export function isNewDatabase(path: string): boolean {
  return (lookAt(path)?.size ?? 0) === 0;
}

/** Undefined for what is not there; throws AppError where nobody can tell. */
export function lookAt(path: string): Stats | undefined {
  let look = () => statSync(path, { throwIfNoEntry: false });
  return translated(`look at ${basename(path)}`, look, path);
}

/** A second connection that can't write, for the same process. The database has to be there. */
export function openReader(path: string): Database {
  let opening = () => {
    refuseUnreadable(path);
    let db = new Database(path, { readonly: true, strict: true });
    db.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    return db;
  };
  return translated(`open ${basename(path)}`, opening, path);
}

/** SQLite calls a folder a disk error, and says of no file why it can't open it. */
function refuseUnreadable(path: string): void {
  accessSync(path, modes.R_OK);
  if (statSync(path).isFile()) return;
  throw new AppError(
    "internal_error",
    `Could not open ${basename(path)}: ${path} is not a file. Move it away, or change data_dir.`,
  );
}

/** The folder for a private database: made with mode 0700, and brought to it when it was there before. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}

/**
 * Makes a file of mode 0600 where there is none, and brings one to it that was there before. SQLite gives a database's -wal,
 * -shm and -journal the mode of the database itself, so it has to be right before SQLite sees it. Not for a database that
 * this process has open: see openDatabase.
 */
export function makePrivateFile(path: string): void {
  let descriptor = openSync(path, "a", 0o600);
  fchmodSync(descriptor, 0o600);
  closeSync(descriptor);
}

/** Finalises every statement and lets go of the file. */
export function closeDatabase(db: Database): void {
  try {
    db.close(true);
  } catch {
    // A reader in another process can make the last checkpoint fail; the WAL then carries the rows to the next start.
    db.close();
  }
}

/** Runs `work` in one IMMEDIATE transaction; a deferred one that reads first fails at once beside another writer. */
export function immediately<T>(db: Database, work: () => T): T {
  return db.transaction(work).immediate();
}

export function schemaVersion(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

/** Throws `internal_error` with a sentence for the operator when a newer program made the database. */
export function refuseNewerSchema(db: Database, newestKnown: number): void {
  let found = schemaVersion(db);
  if (found <= newestKnown) return;
  let name = `${basename(dirname(db.filename))}/${basename(db.filename)}`;
  throw new AppError(
    "internal_error",
    `${name} was written by a newer s3-uploads (schema ${found}; this program knows ${newestKnown}). Start the newer program instead.`,
  );
}

/**
 * Brings a database to the newest schema, each step in a transaction of its own with its number in `user_version`.
 * A database of a newer program is refused.
 *
 * @param migrations SQL texts in order; the first makes version 1
 */
export function migrate(db: Database, migrations: readonly string[]): void {
  refuseNewerSchema(db, migrations.length);
  let found = schemaVersion(db);
  for (let [done, sql] of migrations.entries()) {
    if (done < found) continue;
    immediately(db, () => {
      // Another process may have come first between the look and the lock.
      if (schemaVersion(db) !== done) return;
      db.run(sql);
      db.run(`PRAGMA user_version = ${done + 1}`);
    });
  }
}

/** Puts a file, or a folder's names, on disk. */
export function syncPath(path: string): void {
  let descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Runs `work`; what SQLite or the file system throws becomes an AppError that tells what was being done.
 * @param path of the database, so that it can be named when it is damaged
 */
export function translated<T>(doing: string, work: () => T, path?: string): T {
  try {
    return work();
  } catch (error) {
    throw translateSqliteError(error, doing, path);
  }
}

/** `translated` for the work on one database. */
export function translatedFor(db: Database): <T>(doing: string, work: () => T) => T {
  return (doing, work) => translated(doing, work, db.filename);
}

/** `disk_full`, `server_busy` (another process holds the database) or `internal_error`, with the original as cause. */
export function translateSqliteError(thrown: unknown, doing: string, path?: string): AppError {
  if (thrown instanceof AppError) return thrown;
  let code = errorCodeOf(thrown);
  let reason = thrown instanceof Error ? thrown.message : String(thrown);
  if (isDamage(code)) return damagedDatabase(path ?? null, doing, reason, thrown);
  if (fullCodes.has(code)) {
    let message = `Could not ${doing}: the disk is full. Make room on it, or change data_dir.`;
    return new AppError("disk_full", message, { cause: thrown });
  }
  if (readOnlyCodes.has(code)) {
    let message = `Could not ${doing}: the disk is read-only. Make it writable, or change data_dir.`;
    return new AppError("internal_error", message, { cause: thrown });
  }
  if (forbiddenCodes.has(code)) {
    let message = `Could not ${doing} (${reason}). Give the user that runs s3-uploads the right to read and write it, or change data_dir.`;
    return new AppError("internal_error", message, { cause: thrown });
  }
  if (badPathCodes.has(code)) {
    return new AppError("internal_error", `Could not ${doing} (${reason}). Choose another path.`, {
      cause: thrown,
    });
  }
  let message = `Could not ${doing}: ${reason}`;
  if (code.startsWith("SQLITE_BUSY")) return new AppError("server_busy", message, { cause: thrown });
  return new AppError("internal_error", message, { cause: thrown });
}

/**
 * `checkDatabase` for a database that nobody has opened yet, if it is there and small: to be called before the first
 * connection that could write, whose closing would move the `-wal` into a damaged file.
 */
export function checkSmallDatabase(path: string): void {
  if ((lookAt(path)?.size ?? 0) > maxCheckedAtStartBytes) return;
  translated(`open ${basename(path)}`, () => refuseDamagedFiles(path), path);
  if (isNewDatabase(path)) return;
  rollBack(path);
  let db = openReader(path);
  try {
    checkDatabase(db);
  } finally {
    closeDatabase(db);
  }
}

/**
 * Reads the whole database and throws what `damagedDatabase` makes when something in it can't be right. At 900 MB (a
 * million files) it takes 3 to 9 s: on a thread that nobody waits for.
 */
export function checkDatabase(db: Database): void {
  let doing = `check ${basename(db.filename)}`;
  let found = translated(
    doing,
    () => db.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get()?.quick_check ?? "no answer",
    db.filename,
  );
  if (found !== "ok") throw damagedDatabase(db.filename, doing, found.replace(/\s+/g, " ").trim());
}

const forbiddenCodes = new Set(["EACCES", "EPERM"]);
const badPathCodes = new Set(["ENOTDIR", "ELOOP", "ENAMETOOLONG"]);
const readOnlyCodes = new Set(["EROFS", "SQLITE_READONLY_DIRECTORY"]);
// SHMSIZE: the -shm file could not grow, which is how a full disk shows when a WAL database is opened.
const fullCodes = new Set(["SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "ENOSPC", "EDQUOT"]);

function errorCodeOf(thrown: unknown): string {
  if (thrown instanceof SQLiteError) return thrown.code ?? "";
  if (thrown instanceof Error && "code" in thrown) return String(thrown.code);
  return "";
}
