import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { damagedDatabase, refuseDamagedFiles } from "../src/damaged-database.ts";
import { closeDatabase, openDatabase } from "../src/sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "damaged-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the advice is given once, then only named", () => {
  let path = join(folder, "once", "uploads.db");
  let [first, second] = [0, 1].map(() => damagedDatabase(path, "list files", "a page is odd").message);
  expect(first).toContain("run s3-uploads import");
  expect(second).toBe(
    "Could not list files: uploads.db is damaged (a page is odd). What to do about it was said before.",
  );
});

test("a -wal that SQLite has written is never taken for damaged, at whatever length a power cut left it", () => {
  let path = join(folder, "sound.db");
  let db = openDatabase(path);
  db.run("CREATE TABLE a (x TEXT)");
  for (let nth = 0; nth < 20; nth++) db.run("INSERT INTO a VALUES (hex(randomblob(3000)))");
  let wal = readFileSync(`${path}-wal`);
  expect(wal.length).toBeGreaterThan(10_000);
  refuseDamagedFiles(path);
  let copy = join(folder, "copy.db");
  writeFileSync(copy, readFileSync(path));
  for (let length of [0, 1, 31, 32, 33, 1000, 4128, wal.length - 1]) {
    writeFileSync(`${copy}-wal`, wal.subarray(0, length));
    refuseDamagedFiles(copy);
  }
  writeFileSync(`${copy}-wal`, new Uint8Array(5000));
  refuseDamagedFiles(copy);
  // Begun anew, which writes another header.
  db.run("PRAGMA wal_checkpoint(RESTART)");
  db.run("INSERT INTO a VALUES ('again')");
  refuseDamagedFiles(path);
  closeDatabase(db);
});

test("a -wal whose database is gone is damage unless it is empty, as a clean end may leave it", () => {
  let path = join(folder, "gone.db");
  writeFileSync(`${path}-wal`, "");
  refuseDamagedFiles(path);
  writeFileSync(`${path}-wal`, new Uint8Array(32));
  expect(() => refuseDamagedFiles(path)).toThrow(
    "gone.db is damaged (it is gone, and its gone.db-wal is not)",
  );
});
