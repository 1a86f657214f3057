import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { FILE_KINDS } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { openCatalog } from "../../src/record/database.ts";
import { catalogMigrations } from "../../src/record/migrations.ts";
import { rowColumns, toRow } from "../../src/record/rows.ts";
import { closeDatabase, migrate, openDatabase, schemaVersion } from "../../src/sqlite.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { newFile } from "./new-file.ts";
import { tempCatalogs } from "./temp-catalog.ts";

const catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

const newest = catalogMigrations("s3_uploads").length;
const noSqliteTool = Bun.which("sqlite3") ? null : "the sqlite3 command line tool (apt-get install sqlite3)";

describe("a new catalog", () => {
  test("is a WAL database that only its owner can read, at the newest schema", () => {
    let path = catalogs.newPath();
    let { db } = openCatalog({ path, tableName: "s3_uploads" });
    expect(schemaVersion(db)).toBe(newest);
    expect(pragma(db, "journal_mode")).toBe("wal");
    expect(pragma(db, "synchronous")).toBe(2);
    expect(pragma(db, "foreign_keys")).toBe(1);
    expect(pragma(db, "busy_timeout")).toBe(5000);
    for (let suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    closeDatabase(db);
  });

  test("keeps its -wal and -shm after a clean close, for readers who may not make them", () => {
    let path = catalogs.newPath();
    closeDatabase(openCatalog({ path, tableName: "s3_uploads" }).db);
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect(existsSync(`${path}-shm`)).toBe(true);
  });

  test("is opened again as it is", async () => {
    let path = catalogs.newPath();
    let first = catalogs.open(path);
    let { record } = await first.create(newFile(), "store");
    first.close();
    expect(await catalogs.open(path).get(record.id)).toEqual(record);
  });

  test("has the columns that the outside world depends on, in a STRICT table", () => {
    let { db } = openCatalog({ path: catalogs.newPath(), tableName: "s3_uploads" });
    let columns = db.query<{ name: string }, []>("PRAGMA table_info(s3_uploads)").all();
    expect(columns.map((column) => column.name)).toEqual(["id", ...rowColumns]);
    expect(db.query("SELECT strict FROM pragma_table_list('s3_uploads')").values()).toEqual([[1]]);
    closeDatabase(db);
  });

  test.skipIf(skipUnlessCi(noSqliteTool))("is read by the sqlite3 tool while it is open", async () => {
    let path = catalogs.newPath();
    let files = catalogs.open(path);
    await files.create(newFile({ filename: "Été 😀.jpg" }), "store");
    let sql =
      "SELECT id, filename FROM s3_uploads; SELECT rowid FROM s3_uploads_fts WHERE s3_uploads_fts MATCH 'été'; PRAGMA integrity_check;";
    let tool = Bun.spawnSync(["sqlite3", "-readonly", path, sql]);
    expect(tool.stderr.toString()).toBe("");
    expect(tool.stdout.toString()).toBe("1|Été 😀.jpg\n1\nok\n");
  });
});

/** The conditions of Datasette's detect_fts (datasette/utils), for a table. */
function datasetteFindsSearch(db: Database, table: string): string[] {
  return db
    .query<{ name: string }, []>(
      `SELECT name FROM sqlite_master WHERE rootpage = 0 AND (
         sql LIKE '%VIRTUAL TABLE%USING FTS%content="${table}"%'
         OR sql LIKE '%VIRTUAL TABLE%USING FTS%content=[${table}]%'
         OR (tbl_name = '${table}' AND sql LIKE '%VIRTUAL TABLE%USING FTS%'))`,
    )
    .all()
    .map((row) => row.name);
}

describe("the table name", () => {
  const good = ["s3_uploads", "Photos", "_private", "order", "select", "table", "a", "T".repeat(63)];
  test.each(good)("%s works, and Datasette finds its search", async (tableName) => {
    let path = catalogs.newPath();
    let files = catalogs.open(path, tableName);
    let { record } = await files.create(newFile({ filename: "needle in hay.txt" }), "store");
    await files.create(newFile({ filename: "hay.txt" }), "store");
    let searches = [{ search: "needle" }, { search: "ne" }, { search: "needle", kind: "other" as const }];
    for (let query of searches) {
      expect((await files.list(query)).rows.map((row) => row.id)).toEqual([record.id]);
    }
    let db = new Database(path, { readonly: true });
    expect(datasetteFindsSearch(db, tableName)).toEqual([`${tableName}_fts`]);
    db.close();
  });

  const bad = ["", "1abc", "a-b", "a b", 'a"b', "a;b", "sqlite_x", "SQLite_x", "é", "a".repeat(64), "a\n"];
  test.each(bad)("%j is refused", (tableName) => {
    let error = refusal(() => openCatalog({ path: catalogs.newPath(), tableName }));
    expect(error.code).toBe("invalid_parameter");
    expect(error.details.parameter).toBe("db_table_name");
  });

  test("in another case is the same table", async () => {
    let path = catalogs.newPath();
    let first = catalogs.open(path, "Photos");
    await first.create(newFile({ filename: "needle.txt" }), "store");
    first.close();
    let again = catalogs.open(path, "photos");
    await again.create(newFile({ filename: "needle-2.txt" }), "store");
    expect((await again.list({ search: "needle" })).rows).toHaveLength(2);
    let db = new Database(path, { readonly: true });
    expect(datasetteFindsSearch(db, "Photos")).toEqual(["Photos_fts"]);
    db.close();
  });

  test("can't be changed over existing rows", async () => {
    let path = catalogs.newPath();
    let first = catalogs.open(path, "photos");
    await first.create(newFile(), "store");
    first.close();
    let error = refusal(() => openCatalog({ path, tableName: "pictures" }));
    expect(error.message).toContain('has its rows in "photos"');
    expect(error.code).toBe("invalid_parameter");
  });

  test("can be changed while there are no rows, and no id is given twice", async () => {
    let path = catalogs.newPath();
    let first = catalogs.open(path, "photos");
    let { record } = await first.create(newFile(), "store");
    await first.finishDelete(record.id);
    first.close();
    let second = catalogs.open(path, "pictures");
    expect((await second.create(newFile(), "store")).record.id).toBe(record.id + 1);
    second.close();
    expect(refusal(() => openCatalog({ path, tableName: "photos" })).message).toContain('"pictures"');
  });

  test("of somebody else's table is refused, and that table stays", () => {
    let path = catalogs.newPath();
    closeDatabase(openCatalog({ path, tableName: "s3_uploads" }).db);
    let db = new Database(path);
    db.run("CREATE TABLE notes (id INTEGER PRIMARY KEY)");
    db.close();
    expect(refusal(() => openCatalog({ path, tableName: "Notes" })).message).toContain(
      'has a table "notes" that s3-uploads did not make',
    );
    let { db: again } = openCatalog({ path, tableName: "s3_uploads" });
    expect(again.query("SELECT count(*) FROM notes").values()).toEqual([[0]]);
    closeDatabase(again);
  });
});

describe.each(["s3_uploads", "Photos"])("a catalog of an older schema, with its rows in %s", (tableName) => {
  /** As the first program left it. */
  function olderCatalog(): string {
    let path = catalogs.newPath();
    closeDatabase(openCatalog({ path, tableName }).db);
    for (let suffix of ["", "-wal", "-shm"]) rmSync(path + suffix);
    let db = openDatabase(path);
    migrate(db, catalogMigrations(tableName).slice(0, 1));
    let row = toRow(newFile({ filename: "needle.txt" }));
    let values = rowColumns.map((column) => row[column] ?? null);
    db.run(
      `INSERT INTO "${tableName}" (${rowColumns.join(", ")}) VALUES (${rowColumns.map(() => "?").join(", ")})`,
      values,
    );
    closeDatabase(db);
    return path;
  }

  test("is migrated when it is opened, and has a copy of its old self beside it", async () => {
    let path = olderCatalog();
    let files = catalogs.open(path, tableName);
    expect((await files.list({ search: "needle" })).rows).toHaveLength(1);
    let copy = `${path}.schema-1`;
    expect(
      readdirSync(dirname(path))
        .filter((name) => !/-(wal|shm)$/.test(name))
        .toSorted(),
    ).toEqual(["uploads.db", "uploads.db.schema-1"]);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    using old = new Database(copy, { readonly: true });
    expect(schemaVersion(old)).toBe(1);
    expect(pragma(old, "integrity_check")).toBe("ok");
    expect(old.query(`SELECT filename FROM "${tableName}"`).values()).toEqual([["needle.txt"]]);
    using live = new Database(path, { readonly: true });
    expect(schemaVersion(live)).toBe(newest);
  });

  test("says so once, with the copy's name", () => {
    let path = olderCatalog();
    let said: unknown[] = [];
    let log = { ...silentLog, info: (...line: unknown[]) => void said.push(line) };
    for (let times = 0; times < 2; times++) closeDatabase(openCatalog({ path, tableName, log }).db);
    expect(said).toEqual([
      [{ schema: newest, copy: `${path}.schema-1` }, "the catalog was brought up to date"],
    ]);
  });

  test("stays as it is when there is no room for the copy", () => {
    let path = olderCatalog();
    mkdirSync(`${path}.schema-1`);
    expect(refusal(() => openCatalog({ path, tableName })).code).toBe("internal_error");
    using db = new Database(path, { readonly: true });
    expect(schemaVersion(db)).toBe(1);
  });
});

describe("a database that can't be used", () => {
  test("of a newer program is refused by name and number", () => {
    let path = catalogs.newPath();
    let { db } = openCatalog({ path, tableName: "s3_uploads" });
    db.run(`PRAGMA user_version = ${newest + 1}`);
    closeDatabase(db);
    let error = refusal(() => openCatalog({ path, tableName: "s3_uploads" }));
    expect(error.message).toContain(
      `uploads.db was written by a newer s3-uploads (schema ${newest + 1}; this program knows ${newest})`,
    );
  });

  test("because it is no database at all is refused in words", () => {
    let path = catalogs.newPath();
    closeDatabase(openCatalog({ path, tableName: "s3_uploads" }).db);
    writeFileSync(path, "this is no database, and long enough to be looked at ".repeat(20));
    let error = refusal(() => openCatalog({ path, tableName: "s3_uploads" }));
    expect(error.code).toBe("internal_error");
    expect(error.message).toContain(
      "Could not open uploads.db: uploads.db is damaged (file is not a database).",
    );
  });
});

describe("a row that breaks the schema", () => {
  const nonsense = {
    "an unknown kind": { kind: "film" },
    "a negative size": { size_bytes: -1 },
    "half a position": { latitude: 1, longitude: null },
    "a latitude off the globe": { latitude: 91, longitude: 0 },
    "an upper-case checksum": { checksum_sha256: "A".repeat(64) },
    "a short checksum": { checksum_sha256: "a".repeat(63) },
    "a local created_at": { created_at: "2026-01-01T00:00:00+01:00" },
    "another day": { created_at: "2026-01-01T00:00:00.000Z", created_date: "2026-01-02" },
    "a taken_at that is no date": { taken_at: "yesterday" },
    "an empty name": { filename: "" },
    "a content type without a slash": { content_type: "image" },
    "an unknown storage": { storage: "ftp" },
    "a text for a size": { size_bytes: "many" },
  };
  test.each(Object.entries(nonsense))("%s is refused as our own fault", async (_, facts) => {
    let files = catalogs.open();
    let error = await files.create(newFile(facts as never), "store").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe("internal_error");
    expect((await files.list({})).rows).toEqual([]);
  });
});

test("every kind of the domain is one that the schema takes", async () => {
  let files = catalogs.open();
  for (let kind of FILE_KINDS) await files.create(newFile({ kind }), "store");
  expect((await files.list({})).rows).toHaveLength(FILE_KINDS.length);
});

function pragma(db: Database, name: string): unknown {
  return db.query(`PRAGMA ${name}`).values()[0]?.[0];
}

function refusal(work: () => unknown): AppError {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}
