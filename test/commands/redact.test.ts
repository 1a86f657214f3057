import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseCommandLine } from "../../src/cli.ts";
import { runRedact } from "../../src/commands/redact.ts";
import { createCommitSync } from "../../src/commit-sync.ts";
import { AppError } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { lockDataFolder } from "../../src/state/lock.ts";
import { createRemovedRows } from "../../src/state/removed-rows.ts";
import { configOf } from "../config/load-helpers.ts";
import { newFile } from "../record/new-file.ts";

const folder = mkdtempSync(join(tmpdir(), "redact-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;

/** A data folder whose catalog has a position, and a file without one. */
async function newDataDir(tableName = "s3_uploads"): Promise<string> {
  let dataDir = join(folder, `${++made}`);
  let files = createSqliteRepository({ path: join(dataDir, "uploads.db"), tableName, log: silentLog });
  let gps = { GPSLatitudeRef: "N", GPSLatitude: [60, 30, 12.345678] };
  let metadata = { make: "Canon", exif: { ISO: 100 }, gps };
  await files.create(newFile({ latitude: 60.5, longitude: 20.25, metadata }), "store");
  // Half of a position is not in the columns, but in the metadata.
  await files.create(newFile({ metadata: { gps: { GPSAltitude: 98.7654321 } } }), "store");
  await files.create(newFile({ metadata: { make: "Nikon" } }), "store");
  files.close();
  return dataDir;
}

function redact(dataDir: string, settings: Record<string, string> = {}): string {
  let said = "";
  let config = configOf({ flags: { data_dir: dataDir, ...settings } });
  runRedact({ config, options: { gps: true }, stdout: (text) => (said += text) });
  return said;
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

function rows(dataDir: string, table = "s3_uploads") {
  using db = new Database(join(dataDir, "uploads.db"), { readonly: true });
  return db.query(`SELECT latitude, longitude, metadata_json FROM "${table}" ORDER BY id`).all();
}

/** Every byte of the catalog's files. */
function bytesOf(dataDir: string): string {
  let names = readdirSync(dataDir).filter((name) => name.startsWith("uploads.db"));
  return names.map((name) => readFileSync(join(dataDir, name), "latin1")).join("");
}

describe("redact --gps", () => {
  test.each(["s3_uploads", "Photos"])("empties positions in columns and EXIF of %s", async (tableName) => {
    let dataDir = await newDataDir(tableName);
    let said = redact(dataDir, { db_table_name: tableName, gps: "drop" });
    expect(said).toStartWith(`${dataDir}/uploads.db: 2 rows had a position, none has one now.\n`);
    expect(said).toContain("The stored files still tell where they were made");
    expect(rows(dataDir, tableName)).toEqual([
      { latitude: null, longitude: null, metadata_json: '{"make":"Canon","exif":{"ISO":100}}' },
      { latitude: null, longitude: null, metadata_json: "{}" },
      { latitude: null, longitude: null, metadata_json: '{"make":"Nikon"}' },
    ]);
    expect(redact(dataDir, { db_table_name: tableName })).toContain("0 rows had a position");
  });

  test("leaves no trace in the catalog, its free pages and its WAL", async () => {
    let dataDir = await newDataDir();
    expect(bytesOf(dataDir)).toContain("12.345678");
    expect(bytesOf(dataDir)).toContain("98.7654321");
    redact(dataDir);
    expect(bytesOf(dataDir)).not.toContain("12.345678");
    expect(bytesOf(dataDir)).not.toContain("98.7654321");
    expect(statSync(join(dataDir, "uploads.db-wal")).size).toBe(0);
    let catalog = createSqliteRepository({
      path: join(dataDir, "uploads.db"),
      tableName: "s3_uploads",
      log: silentLog,
    });
    expect((await catalog.list({ search: "file" })).rows).toHaveLength(3);
    catalog.close();
  });

  test("empties rows too that a repair took out of the catalog", async () => {
    let dataDir = await newDataDir();
    let path = join(dataDir, "internal", "state.db");
    let state = openStateDatabase(path);
    let commits = createCommitSync(state);
    let removedRows = createRemovedRows(state, commits);
    let position = {
      latitude: 60.5,
      longitude: 20.25,
      metadata: { make: "Canon", gps: { GPSAltitude: 7.1234567 } },
    };
    for (let given of [position, { metadata: { make: "Nikon" } }]) {
      await removedRows.add({ id: 1, ...newFile(given) }, "its object is gone", 0);
    }
    await commits.close();
    closeDatabase(state);
    expect(redact(dataDir)).toContain("So had 1 row that a repair had taken out of it.");
    using db = new Database(path, { readonly: true });
    let [row] = db.query<{ row_json: string }, []>("SELECT row_json FROM removed_rows").all();
    expect(JSON.parse(row?.row_json ?? "")).toMatchObject({
      latitude: null,
      longitude: null,
      metadata: { make: "Canon" },
    });
    let names = readdirSync(join(dataDir, "internal"));
    for (let name of names)
      expect(readFileSync(join(dataDir, "internal", name)).includes("7.1234567")).toBe(false);
  });

  test("tells of what it can't know: new files, and copies of before an upgrade", async () => {
    let dataDir = await newDataDir();
    writeFileSync(join(dataDir, "uploads.db.schema-1"), "");
    let said = redact(dataDir);
    expect(said).toContain("So do snapshots and backups");
    expect(said).toContain("until you set gps to drop");
    expect(said).toContain("still have positions: uploads.db.schema-1. Delete them.");
    expect(redact(dataDir, { gps: "drop" })).not.toContain("set gps to drop");
  });

  test("is refused beside a server", async () => {
    let dataDir = await newDataDir();
    let lock = lockDataFolder(dataDir);
    expect(refusal(() => redact(dataDir)).message).toContain(
      "stop it first, and start it again after the redaction",
    );
    lock.release();
    expect(rows(dataDir)[0]).toMatchObject({ latitude: 60.5 });
  });

  test("fails when a reader keeps the old values, and can be finished later", async () => {
    let dataDir = await newDataDir();
    let reader = new Database(join(dataDir, "uploads.db"), { readonly: true });
    reader.run("BEGIN");
    reader.query("SELECT count(*) FROM s3_uploads").get();
    expect(refusal(() => redact(dataDir)).message).toContain("Stop that program and run this again.");
    reader.close();
    redact(dataDir);
    expect(bytesOf(dataDir)).not.toContain("12.345678");
  });

  test("makes nothing where no catalog is", () => {
    let dataDir = join(folder, "nowhere");
    expect(refusal(() => redact(dataDir)).message).toContain("There is no catalog");
    expect(readdirSync(folder)).not.toContain("nowhere");
  });

  test("is found on the command line, where --gps is not the setting of that name", () => {
    let found = parseCommandLine(["redact", "--gps", "--data-dir", "x"], "1");
    expect(found).toMatchObject({ command: "redact", options: { gps: true }, flags: { data_dir: "x" } });
    found = parseCommandLine(["serve", "--gps", "drop"], "1");
    expect(found).toMatchObject({ command: "serve", flags: { gps: "drop" } });
  });
});
