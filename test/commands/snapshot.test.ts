import { Database } from "bun:sqlite";
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseCommandLine } from "../../src/cli.ts";
import { runSnapshot } from "../../src/commands/snapshot.ts";
import { AppError } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";
import { configOf } from "../config/load-helpers.ts";
import { newFile } from "../record/new-file.ts";
import { makeDataDir, removeDataDir, startServer } from "../support/server.ts";

// Other programs start here, on a machine that may be busy.
setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "snapshot-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;

/** A catalog that is open, as a server has it. */
function newCatalog(tableName = "s3_uploads") {
  let dataDir = join(folder, `${++made}`);
  let repository = createSqliteRepository({ path: join(dataDir, "uploads.db"), tableName, log: silentLog });
  return {
    dataDir,
    repository,
    target: join(dataDir, "copy.db"),
    [Symbol.dispose]: () => repository.close(),
  };
}

function snapshot(dataDir: string, target: string, options = {}, tableName = "s3_uploads"): string {
  let said = "";
  let config = configOf({ flags: { data_dir: dataDir, db_table_name: tableName } });
  runSnapshot({ config, positionals: [target], options, stdout: (text) => (said += text) });
  return said;
}

function read<T = Record<string, unknown>>(path: string, sql: string): T[] {
  using db = new Database(path, { readonly: true });
  return db.query(sql).all() as T[];
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

const atSea = {
  latitude: 60.5,
  longitude: 20.25,
  metadata: { make: "Canon", gps: { GPSAltitude: 12.345678 } },
};

describe("snapshot", () => {
  test("copies every row of a catalog that is open, into one file without a WAL", async () => {
    using catalog = newCatalog();
    for (let n = 0; n < 3; n++) await catalog.repository.create(newFile(atSea), "store");
    let said = snapshot(catalog.dataDir, catalog.target);
    expect(said).toStartWith(`${catalog.target}: 3 files, `);
    expect(said).toEndWith(`datasette -i ${catalog.target}\n`);
    expect(statSync(catalog.target).mode & 0o777).toBe(0o666 & ~process.umask());
    expect(read(catalog.target, "PRAGMA journal_mode")).toEqual([{ journal_mode: "delete" }]);
    expect(read(catalog.target, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    expect(read(catalog.target, "SELECT count(latitude) AS n FROM s3_uploads")).toEqual([{ n: 3 }]);
    expect(read(catalog.target, "SELECT rowid FROM s3_uploads_fts('file')")).toHaveLength(3);
    expect(readdirSync(catalog.dataDir).filter((name) => name.startsWith("copy"))).toEqual(["copy.db"]);
  });

  test("--redact gps leaves no trace of a position in the copy, and the catalog as it is", async () => {
    using catalog = newCatalog();
    let { record } = await catalog.repository.create(newFile(atSea), "store");
    await catalog.repository.create(newFile(), "store");
    let said = snapshot(catalog.dataDir, catalog.target, { redact: "gps" });
    expect(said).toContain("2 files, ");
    expect(said).toContain("without positions (1 row had one)");
    expect(read(catalog.target, "SELECT latitude, longitude, metadata_json FROM s3_uploads")[0]).toEqual({
      latitude: null,
      longitude: null,
      metadata_json: '{"make":"Canon"}',
    });
    expect(readFileSync(catalog.target).includes("12.345678")).toBe(false);
    expect((await catalog.repository.get(record.id))?.latitude).toBe(60.5);
  });

  test("leaves no trace of a deleted file", async () => {
    using catalog = newCatalog();
    let { record } = await catalog.repository.create(newFile({ filename: "zanzibar.txt" }), "store");
    await catalog.repository.create(newFile(), "store");
    await catalog.repository.finishDelete(record.id);
    snapshot(catalog.dataDir, catalog.target);
    expect(readFileSync(catalog.target).includes("zanzibar")).toBe(false);
    expect(readFileSync(catalog.target).includes("zib")).toBe(false);
  });

  test("removes what an attempt left that was killed long ago", async () => {
    using catalog = newCatalog();
    let [old, young] = ["a", "b"].map((digit) => `${catalog.target}.${digit.repeat(36)}.part`);
    for (let path of [old!, young!]) writeFileSync(path, "");
    utimesSync(old!, new Date(0), new Date(0));
    snapshot(catalog.dataDir, catalog.target);
    expect([existsSync(old!), existsSync(young!)]).toEqual([false, true]);
  });

  test("works with a table of another name", async () => {
    using catalog = newCatalog("Photos");
    await catalog.repository.create(newFile(atSea), "store");
    snapshot(catalog.dataDir, catalog.target, { redact: "gps" }, "photos");
    expect(read(catalog.target, "SELECT latitude FROM Photos")).toEqual([{ latitude: null }]);
  });

  test("never takes the place of a file unless told, and then in one step", async () => {
    using catalog = newCatalog();
    await catalog.repository.create(newFile(), "store");
    writeFileSync(catalog.target, "mine");
    let error = refusal(() => snapshot(catalog.dataDir, catalog.target));
    expect(error.message).toContain("is there already. Choose another name, or add --replace.");
    expect(readFileSync(catalog.target, "utf8")).toBe("mine");
    snapshot(catalog.dataDir, catalog.target, { replace: true });
    expect(read(catalog.target, "SELECT count(*) AS n FROM s3_uploads")).toEqual([{ n: 1 }]);
  });

  test("refuses what can't be a copy, and leaves nothing behind", () => {
    using catalog = newCatalog();
    let { dataDir } = catalog;
    mkdirSync(join(dataDir, "folder"));
    let refused: [string, object, string][] = [
      [join(dataDir, "uploads.db"), { replace: true }, "is a database in use (uploads.db-wal is beside it)"],
      [join(dataDir, "folder"), { replace: true }, "is not a file"],
      [join(dataDir, "nowhere", "x.db"), {}, "There is no folder"],
      [join(dataDir, "x".repeat(250)), {}, "Choose another path."],
      [join(dataDir, "x.db"), { redact: "names" }, "--redact takes gps"],
    ];
    for (let [target, options, sentence] of refused) {
      expect(refusal(() => snapshot(dataDir, target, options)).message).toContain(sentence);
    }
    expect(refusal(() => snapshot(dataDir, join(dataDir, "x.db"), {}, "photos")).message).toContain(
      'has its rows in "s3_uploads". Set db_table_name to "s3_uploads"',
    );
    expect(readdirSync(dataDir).toSorted()).toEqual([
      "folder",
      "uploads.db",
      "uploads.db-shm",
      "uploads.db-wal",
    ]);
    expect(refusal(() => snapshot(join(dataDir, "folder"), join(dataDir, "x.db"))).message).toContain(
      "There is no catalog",
    );
    expect(existsSync(join(dataDir, "folder", "uploads.db"))).toBe(false);
  });

  test("works beside a server that takes uploads, and every row of the copy is whole", async () => {
    let dataDir = makeDataDir();
    let server = await startServer(dataDir);
    let done = new AbortController();
    let uploading = (async () => {
      for (let n = 0; !done.signal.aborted; n++) {
        let response = await fetch(`${server.base}/upload/n${n}.txt`, { method: "PUT", body: `file ${n}` });
        expect(response.status).toBe(201);
      }
    })();
    try {
      let counts: number[] = [];
      for (let n = 0; n < 5; n++) {
        let target = join(folder, `live-${n}.db`);
        let command = Bun.spawn(
          [process.execPath, "src/main.ts", "snapshot", target, "--data-dir", dataDir],
          { cwd: join(import.meta.dir, "../.."), stdout: "pipe", stderr: "inherit" },
        );
        expect(await command.exited).toBe(0);
        expect(read(target, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
        counts.push(read<{ n: number }>(target, "SELECT count(*) AS n FROM s3_uploads")[0]?.n ?? -1);
      }
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      expect(counts.at(-1)).toBeGreaterThan(0);
    } finally {
      done.abort();
      await uploading;
      await server.stop();
      removeDataDir(dataDir);
    }
  });

  test("is found on the command line", () => {
    expect(parseCommandLine(["snapshot", "a.db", "--redact", "gps", "--replace"], "1")).toMatchObject({
      kind: "run",
      command: "snapshot",
      positionals: ["a.db"],
      options: { redact: "gps", replace: true },
    });
    expect(parseCommandLine(["snapshot"], "1")).toMatchObject({ kind: "refused" });
  });
});
