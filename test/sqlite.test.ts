import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppError, type ErrorCode } from "../src/errors.ts";
import {
  checkSmallDatabase,
  closeDatabase,
  immediately,
  migrate,
  openDatabase,
  openReader,
  schemaVersion,
  translated,
} from "../src/sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "sqlite-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
const newPath = () => join(folder, `${++made}.db`);
const first = "CREATE TABLE a (x TEXT) STRICT; INSERT INTO a VALUES ('one; two');";
const second = "CREATE TABLE b (x TEXT) STRICT";

describe("migrating", () => {
  test("runs what is missing, in order, and nothing twice", () => {
    let db = openDatabase(newPath());
    migrate(db, [first]);
    expect(schemaVersion(db)).toBe(1);
    migrate(db, [first, second]);
    migrate(db, [first, second]);
    expect(schemaVersion(db)).toBe(2);
    expect(db.query("SELECT x FROM a").values()).toEqual([["one; two"]]);
    closeDatabase(db);
  });

  test("leaves nothing of a step that fails", () => {
    let db = openDatabase(newPath());
    expect(() => migrate(db, [first, `${second}; INSERT INTO nowhere VALUES (1)`])).toThrow("nowhere");
    expect(schemaVersion(db)).toBe(1);
    expect(db.query("SELECT name FROM sqlite_schema").values()).toEqual([["a"]]);
    closeDatabase(db);
  });
});

describe("what SQLite throws becomes", () => {
  test("disk_full when there is no room, with the cause, and what was there can still be read", () => {
    let db = openDatabase(newPath());
    migrate(db, [first]);
    db.run("PRAGMA max_page_count = 10");
    let insert = () => immediately(db, () => db.run("INSERT INTO a VALUES (hex(zeroblob(100000)))"));
    let error = thrown(() => translated("add a row", insert));
    expect(error.message).toBe("Could not add a row: the disk is full. Make room on it, or change data_dir.");
    expect(error.code).toBe("disk_full");
    expect(error.cause).toBeInstanceOf(Error);
    expect(db.query("SELECT count(*) FROM a").values()).toEqual([[1]]);
    closeDatabase(db);
  });

  test("server_busy when somebody else holds the database", () => {
    let path = newPath();
    let holder = openDatabase(path);
    migrate(holder, [first]);
    let other = openDatabase(path);
    other.run("PRAGMA busy_timeout = 0");
    holder.run("BEGIN IMMEDIATE");
    let write = () => immediately(other, () => other.run("DELETE FROM a"));
    expect(thrown(() => translated("write", write)).code).toBe("server_busy");
    holder.run("ROLLBACK");
    closeDatabase(other);
    closeDatabase(holder);
  });

  test("a sentence about rights when the file system refuses", () => {
    let refused = Object.assign(new Error("EACCES: permission denied, open '/data/uploads.db'"), {
      code: "EACCES",
    });
    let error = thrown(() =>
      translated("open uploads.db", () => {
        throw refused;
      }),
    );
    expect(error.message).toBe(
      "Could not open uploads.db (EACCES: permission denied, open '/data/uploads.db'). Give the user that runs s3-uploads the right to read and write it, or change data_dir.",
    );
    expect(error.code).toBe("internal_error");
  });

  test("internal_error otherwise, and disk_full for the file system's own word", () => {
    let codes: [object, ErrorCode][] = [
      [new Error("odd"), "internal_error"],
      [Object.assign(new Error("no space"), { code: "ENOSPC" }), "disk_full"],
      [Object.assign(new Error("not yours"), { code: "EACCES" }), "internal_error"],
    ];
    for (let [error, code] of codes) {
      let fail = () => {
        throw error;
      };
      expect(thrown(() => translated("try", fail)).code).toBe(code);
    }
  });
});

test("a reader sees what was committed and can't write", () => {
  let path = newPath();
  let db = openDatabase(path);
  migrate(db, [first]);
  let reader = openReader(path);
  db.run("INSERT INTO a VALUES ('new')");
  expect(reader.query("SELECT count(*) FROM a").values()).toEqual([[2]]);
  expect(() => reader.run("DELETE FROM a")).toThrow("readonly");
  closeDatabase(reader);
  closeDatabase(db);
});

test("a missing parameter is an error, not a NULL", () => {
  let db = openDatabase(newPath());
  migrate(db, [first]);
  expect(() => db.run("INSERT INTO a VALUES ($x)", [{ y: "typo" } as never])).toThrow();
  closeDatabase(db);
});

function thrown(work: () => unknown): AppError {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("a change that a crash cut off before there was a WAL is rolled back before the look for damage", () => {
  let [whole, left] = [newPath(), newPath()];
  using db = new Database(whole, { create: true, strict: true });
  // With so small a cache SQLite writes into the file, and its journal, before the transaction ends.
  db.run("PRAGMA cache_size = 5");
  db.run("CREATE TABLE a (x TEXT) STRICT");
  let insert = db.prepare("INSERT INTO a VALUES (?)");
  db.transaction(() => {
    for (let nth = 0; nth < 500; nth++) insert.run("before".repeat(50));
  })();
  db.run("BEGIN");
  db.run("UPDATE a SET x = replace(x, 'before', 'after_')");
  for (let ending of ["", "-journal"]) copyFileSync(whole + ending, left + ending);

  checkSmallDatabase(left);
  expect(existsSync(`${left}-journal`)).toBe(false);
  let found = openReader(left);
  expect(found.query("SELECT count(*) FROM a WHERE x LIKE 'before%'").values()).toEqual([[500]]);
  closeDatabase(found);
});
