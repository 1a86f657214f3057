import { Database } from "bun:sqlite";
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";

import { silentLog } from "../../src/log.ts";
import { createCheckpointer } from "../../src/record/checkpointer.ts";
import { openCatalog } from "../../src/record/database.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { MIB } from "../../src/units.ts";
import { movedRows } from "../support/moved-rows.ts";
import { eventually } from "../support/server.ts";
import { newFile } from "./new-file.ts";
import { tempCatalogs } from "./temp-catalog.ts";

// Other programs start here, on a machine that may be busy.
setDefaultTimeout(60_000);

const catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

test("what is committed moves into the database by itself, soon after", async () => {
  let path = catalogs.newPath();
  let files = catalogs.open(path);
  for (let n = 0; n < 3; n++) await files.create(newFile(), "store");
  await eventually(
    () => movedRows(path),
    (rows) => rows === 3,
  );
  await files.finishDelete(1);
  await eventually(
    () => movedRows(path),
    (rows) => rows === 2,
  );
});

test("what is left moves when the catalog is closed", async () => {
  let path = catalogs.newPath();
  let files = catalogs.open(path);
  await files.create(newFile(), "store");
  files.close();
  expect(movedRows(path)).toBe(1);
  expect(statSync(`${path}-wal`).size).toBe(0);
});

test("what a reader keeps back moves when the reader has gone", async () => {
  let path = catalogs.newPath();
  let files = catalogs.open(path);
  await files.create(newFile(), "store");
  await eventually(
    () => movedRows(path),
    (rows) => rows === 1,
  );
  let reader = new Database(path, { readonly: true });
  reader.run("BEGIN");
  reader.query("SELECT count(*) FROM s3_uploads").get();
  await files.create(newFile(), "store");
  await files.create(newFile(), "store");
  reader.close();
  await eventually(
    () => movedRows(path),
    (rows) => rows === 3,
    60_000,
  );
});

test("a WAL that a reader let grow is started anew, and the operator has heard of it", async () => {
  let path = catalogs.newPath();
  let { db } = openCatalog({ path, tableName: "s3_uploads" });
  let warned: object[] = [];
  let log = { ...silentLog, warn: (facts: object) => void warned.push(facts) };
  let checkpointer = createCheckpointer({ db, log, pauseMs: 10, largeWalBytes: 36 * MIB });
  db.run("CREATE TABLE filler (x)");
  let reader = new Database(path, { readonly: true });
  reader.run("BEGIN");
  reader.query("SELECT count(*) FROM filler").get();
  for (let n = 0; n < 40; n++) db.run("INSERT INTO filler VALUES (zeroblob(1048576))");
  checkpointer.committed();
  await eventually(
    () => warned.length,
    (length) => length > 0,
    60_000,
  );
  expect(warned[0]).toEqual({ wal_mib: expect.any(Number) });
  reader.close();
  let frames = () => db.query<{ log: number; checkpointed: number }, []>("PRAGMA wal_checkpoint(NOOP)").get();
  await eventually(frames, (found) => found?.log === found?.checkpointed, 25_000);
  db.run("INSERT INTO filler VALUES (1)");
  expect(frames()?.log).toBeLessThan(10);
  checkpointer.close();
  closeDatabase(db);
});
