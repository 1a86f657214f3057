import { Database } from "bun:sqlite";
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import { AppError } from "../errors.ts";
import { closeDatabase, syncPath, translated } from "../sqlite.ts";
import { DAY_MS } from "../units.ts";
import { openCatalogReader } from "./database.ts";
import { emptyPositions } from "./redact.ts";
import { type CatalogView, remakeViews } from "./views.ts";

const leftover = /^\.[0-9a-f-]{36}\.part$/;

export interface SnapshotOptions {
  /** The catalog; a server may be writing to it. */
  path: string;
  tableName: string;
  /** The file to be made, in a folder that is there. */
  target: string;
  /** Whether a file of that name may be replaced. */
  replace: boolean;
  /** Whether the copy is to know where photos were taken. */
  keepPositions: boolean;
  /** The views of the copy. */
  views: (table: string) => readonly CatalogView[];
}

export interface SnapshotFacts {
  files: number;
  bytes: number;
  /** Rows of the copy whose position was emptied. */
  emptied: number;
}

/**
 * Writes a consistent copy of the catalog that is no WAL database and holds no trace of deleted rows. The copy has its
 * name only when it is whole and on disk. Throws `invalid_parameter` for a target that can't be taken and for a catalog
 * that is not there, else as openCatalog.
 */
export function writeSnapshot(options: SnapshotOptions): SnapshotFacts {
  let { path, tableName, target, replace, views, keepPositions } = options;
  refuseTarget(target, replace);
  let { db, table } = openCatalogReader({ path, tableName });
  // No ending that Datasette would take up from its folder.
  let temporary = `${target}.${crypto.randomUUID()}.part`;
  try {
    translated(`write ${basename(target)}`, () => {
      removeLeftovers(target);
      // Nobody else's to read before it is what was asked for.
      closeSync(openSync(temporary, "wx", 0o600));
      db.run("VACUUM INTO ?", [temporary]);
    });
    let facts = translated(`finish ${basename(target)}`, () =>
      finish(temporary, table, views(table), keepPositions),
    );
    translated(`write ${basename(target)}`, () => {
      chmodSync(temporary, 0o666 & ~process.umask());
      syncPath(temporary);
      if (replace) renameSync(temporary, target);
      else giveNewName(temporary, target);
      syncPath(dirname(target));
    });
    return facts;
  } finally {
    closeDatabase(db);
    // Of a name that is too long even the removal fails.
    if (existsSync(temporary)) rmSync(temporary, { force: true });
  }
}

/** Makes the copy fit to be given away. It is nobody's yet: a crash leaves a file that is not looked at again. */
function finish(
  file: string,
  table: string,
  views: readonly CatalogView[],
  keepPositions: boolean,
): SnapshotFacts {
  let db = new Database(file, { readwrite: true, create: false, strict: true });
  try {
    db.run("PRAGMA journal_mode = OFF");
    db.run("PRAGMA synchronous = OFF");
    remakeViews(db, views);
    let emptied = keepPositions ? 0 : emptyPositions(db, table);
    // What the index has of names that are gone would else come along.
    db.run(`INSERT INTO "${table}_fts" ("${table}_fts") VALUES ('optimize')`);
    db.run("VACUUM");
    let { n } = db.query<{ n: number }, []>(`SELECT count(*) AS n FROM "${table}"`).get() ?? { n: 0 };
    return { files: n, bytes: statSync(file).size, emptied };
  } finally {
    closeDatabase(db);
  }
}

/** What an attempt left that was killed; one that is still at work is younger. */
function removeLeftovers(target: string): void {
  let [folder, name] = [dirname(target), basename(target)];
  for (let found of readdirSync(folder)) {
    if (!found.startsWith(`${name}.`) || !leftover.test(found.slice(name.length))) continue;
    let path = join(folder, found);
    let { mtimeMs = Date.now() } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > DAY_MS) rmSync(path, { force: true });
  }
}

function refuseTarget(target: string, replace: boolean): void {
  // A database with a WAL beside it is in use, were it the catalog itself: a new file would be read with the old WAL.
  let companion = ["-wal", "-journal"].map((suffix) => target + suffix).find((path) => existsSync(path));
  if (companion !== undefined) {
    throw badTarget(
      `${target} is a database in use (${basename(companion)} is beside it). Choose another name.`,
    );
  }
  if (!existsSync(target)) return;
  if (!statSync(target).isFile()) throw badTarget(`${target} is not a file. Name the file to be made.`);
  if (!replace) throw badTarget(`${target} is there already. Choose another name, or add --replace.`);
}

/** Fails when the name has been taken since it was looked at. */
function giveNewName(temporary: string, target: string): void {
  try {
    linkSync(temporary, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw badTarget(`${target} is there already. Choose another name, or add --replace.`);
    }
    // A file system without hard links.
    renameSync(temporary, target);
  }
}

function badTarget(message: string): AppError {
  return new AppError("invalid_parameter", message, { details: { parameter: "FILE" } });
}
