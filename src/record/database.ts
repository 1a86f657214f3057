import type { Database } from "bun:sqlite";
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";

import { AppError } from "../errors.ts";
import { type Log, silentLog } from "../log.ts";
import {
  closeDatabase,
  immediately,
  lookAt,
  migrate,
  openDatabase,
  openReader,
  refuseNewerSchema,
  schemaVersion,
  syncPath,
  translated,
  translatedFor,
} from "../sqlite.ts";
import { catalogMigrations } from "./migrations.ts";
import { badTableName, parseTableName } from "./table-name.ts";

export interface Catalog {
  db: Database;
  /** The table as the database spells it. */
  table: string;
}

/**
 * Opens the catalog, making file and folder when they are not there, and brings its schema up to date. Throws
 * `invalid_parameter` for a table name that can't be used or would leave rows behind, `internal_error` for a database of
 * a newer program or one that can't be read, `disk_full`, `server_busy`.
 */
export function openCatalog(options: { path: string; tableName: string; log?: Log }): Catalog {
  let { log = silentLog } = options;
  let wanted = parseTableName(options.tableName);
  translated("make the data folder", () =>
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 }),
  );
  let db = openDatabase(options.path);
  try {
    return translatedFor(db)("bring the catalog up to date", () => {
      refuseNewerSchema(db, catalogMigrations(wanted).length);
      let table = settleTable(db, wanted);
      let migrations = catalogMigrations(table);
      let copy = keepOlderSchema(db, migrations.length);
      migrate(db, migrations);
      if (copy) log.info({ schema: migrations.length, copy }, "the catalog was brought up to date");
      return { db, table };
    });
  } catch (error) {
    closeDatabase(db);
    throw error;
  }
}

/**
 * Puts a copy beside a catalog that is about to be migrated, and gives its path. Its name says the schema it has, and has
 * no ending that Datasette would take up from its folder.
 */
function keepOlderSchema(db: Database, newest: number): string | null {
  let found = schemaVersion(db);
  if (found === 0 || found >= newest) return null;
  let backup = `${db.filename}.schema-${found}`;
  let temporary = `${backup}.part`;
  rmSync(temporary, { force: true });
  db.run("VACUUM INTO ?", [temporary]);
  chmodSync(temporary, 0o600);
  syncPath(temporary);
  renameSync(temporary, backup);
  syncPath(dirname(backup));
  return backup;
}

/**
 * Opens a catalog that is there, to read from it beside whoever writes to it; its schema stays as it is. Throws
 * `invalid_parameter` when it is not there or the table is not in it, `internal_error` as openCatalog does.
 */
export function openCatalogReader(options: { path: string; tableName: string }): Catalog {
  return openExisting(options, openReader);
}

/** The same to write to it. */
export function openCatalogWriter(options: { path: string; tableName: string }): Catalog {
  return openExisting(options, openDatabase);
}

function openExisting(
  { path, tableName }: { path: string; tableName: string },
  open: (path: string) => Database,
): Catalog {
  let wanted = parseTableName(tableName);
  if (!lookAt(path)) {
    throw new AppError("invalid_parameter", `There is no catalog ${path}: look at data_dir.`);
  }
  let db = open(path);
  try {
    return translatedFor(db)("read the catalog", () => {
      refuseNewerSchema(db, catalogMigrations(wanted).length);
      let ours = schemaVersion(db) === 0 ? [] : findOurTables(db);
      let table = ours.find((name) => name.toLowerCase() === wanted.toLowerCase());
      if (table) return { db, table };
      let [other] = ours;
      throw badTableName(
        other === undefined
          ? `${path} is not a catalog of s3-uploads.`
          : `db_table_name is "${wanted}", but the catalog ${basename(path)} has its rows in "${other}". Set db_table_name to "${other}".`,
      );
    });
  } catch (error) {
    closeDatabase(db);
    throw error;
  }
}

/** Throws what openCatalog would throw, of a catalog that is there, and changes nothing. */
export function inspectCatalog({ path, tableName }: { path: string; tableName: string }): void {
  let wanted = parseTableName(tableName);
  let db = openReader(path);
  try {
    translatedFor(db)("read the catalog", () => {
      refuseNewerSchema(db, catalogMigrations(wanted).length);
      findTable(db, wanted);
    });
  } finally {
    closeDatabase(db);
  }
}

/** Which table to use: the one that is there, when only its case differs, or a new one when no rows are left behind. */
function settleTable(db: Database, wanted: string): string {
  let { same, ours } = findTable(db, wanted);
  if (same) return same;
  immediately(db, () => {
    for (let other of ours) giveUpEmptyTable(db, other, wanted);
    db.run("PRAGMA user_version = 0");
  });
  return wanted;
}

/** Ours without the wanted one are without rows. */
function findTable(db: Database, wanted: string): { same: string | undefined; ours: string[] } {
  let ours = schemaVersion(db) === 0 ? [] : findOurTables(db);
  let same = ours.find((name) => name.toLowerCase() === wanted.toLowerCase());
  if (same) return { same, ours };
  refuseForeignTable(db, wanted);
  for (let other of ours) {
    if (db.query(`SELECT 1 FROM "${other}" LIMIT 1`).get() === null) continue;
    throw badTableName(
      `db_table_name is "${wanted}", but the catalog ${basename(db.filename)} has its rows in "${other}". Set db_table_name to "${other}", or use another data_dir.`,
    );
  }
  return { same, ours };
}

/** Tables of catalogs, whatever they are called. */
export function findOurTables(db: Database): string[] {
  return db
    .query<{ name: string }, []>(
      `SELECT name FROM sqlite_schema AS t WHERE type = 'table' AND 4 = (
         SELECT count(*) FROM pragma_table_info(t.name) WHERE name IN ('uid', 's3_key', 'checksum_sha256', 'metadata_json'))`,
    )
    .all()
    .map((row) => row.name);
}

function refuseForeignTable(db: Database, wanted: string): void {
  let found = db
    .query<{ name: string; type: string }, [string, string]>(
      "SELECT name, type FROM sqlite_schema WHERE lower(name) IN (lower(?), lower(?))",
    )
    .get(wanted, `${wanted}_fts`);
  if (!found) return;
  throw badTableName(
    `The catalog ${basename(db.filename)} has a ${found.type} "${found.name}" that s3-uploads did not make. Choose another db_table_name.`,
  );
}

/** Drops a table without rows. Its ids were given once and are not given again, so the new table counts on from them. */
function giveUpEmptyTable(db: Database, table: string, successor: string): void {
  db.run("INSERT INTO sqlite_sequence (name, seq) SELECT ?, seq FROM sqlite_sequence WHERE name = ?", [
    successor,
    table,
  ]);
  db.run(`DROP TABLE "${table}_fts"`);
  db.run(`DROP TABLE "${table}"`);
}
