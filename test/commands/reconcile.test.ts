import { Database } from "bun:sqlite";
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../../src/clock.ts";
import { parseDuration } from "../../src/commands/duration.ts";
import type { CommandOptions } from "../../src/commands/options.ts";
import { runReconcile } from "../../src/commands/reconcile.ts";
import { loadConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/log.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";
import { lockDataFolder } from "../../src/state/lock.ts";
import { objectKey } from "../../src/store/keys.ts";
import { createLocalStorage } from "../../src/store/local.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/units.ts";
import { newFile } from "../record/new-file.ts";
import { bytesOf, putRequest, sha256Of } from "../store/bodies.ts";

const folder = mkdtempSync(join(tmpdir(), "reconcile-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
let dataDir = "";
let objects = "";
beforeEach(() => {
  dataDir = join(folder, `${++made}`);
  objects = join(dataDir, "objects");
});

/** A data folder as a server leaves it. */
async function makeData(): Promise<void> {
  createSqliteRepository({
    path: join(dataDir, "uploads.db"),
    tableName: "s3_uploads",
    log: silentLog,
  }).close();
  await createLocalStorage({ directory: objects }).probe();
}

async function addFile({ row = true, object = true, filename = "photo.jpg" } = {}) {
  let uid = Bun.randomUUIDv7();
  let s3_key = objectKey({ prefix: "uploads/", uid, extension: "bin", createdAtMs: Date.now() });
  let bytes = bytesOf(1_234);
  let repository = createSqliteRepository({
    path: join(dataDir, "uploads.db"),
    tableName: "s3_uploads",
    log: silentLog,
  });
  let file = newFile({ uid, s3_key, filename, size_bytes: bytes.length, checksum_sha256: sha256Of(bytes) });
  if (object) await createLocalStorage({ directory: objects }).put(putRequest(s3_key, bytes));
  if (row) await repository.create(file, "store");
  repository.close();
  return file;
}

async function run(options: CommandOptions, { aheadMs = 2 * DAY_MS, isTerminal = false } = {}) {
  let loaded = loadConfig({ flags: { data_dir: dataDir }, env: {}, readFile: () => "" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  let out = { stdout: "", stderr: "" };
  let exitCode = await runReconcile({
    config: loaded.config,
    options,
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    isTerminal,
    clock: { nowMs: () => systemClock.nowMs() + aheadMs },
  });
  return { ...out, exitCode };
}

/** Without what differs from run to run. */
function lines(text: string): string[] {
  return text
    .replace(/in \d+\.\d s/, "in 0.0 s")
    .split("\n")
    .map((line) => line.trimEnd());
}

describe("reconcile", () => {
  test("says in two lines that everything agrees", async () => {
    await makeData();
    await addFile();
    let { stdout, stderr, exitCode } = await run({ deep: true });
    expect(lines(stdout)).toEqual([
      "Compared 1 object in the local folder with 1 file of the catalog in 0.0 s.",
      "Everything agrees.",
      "",
    ]);
    expect([stderr, exitCode]).toEqual(["", 0]);
  });

  test("tells each fault with its file, then how many of a kind, and what to do", async () => {
    await makeData();
    let lost = await addFile({ object: false, filename: "lost.pdf" });
    let orphan = await addFile({ row: false });
    let { stdout, exitCode } = await run({});
    expect(lines(stdout)).toEqual([
      `missing_object    ${lost.s3_key}`,
      "                  file 1, “lost.pdf”, 1,234 bytes: its object is not in storage",
      `orphan_object     ${orphan.s3_key}`,
      "                  1,234 bytes: no file of the catalog uses this object",
      "",
      "Compared 1 object in the local folder with 1 file of the catalog in 0.0 s.",
      "",
      "                        found",
      "missing_object              1  a file whose object is gone",
      "orphan_object               1  an object that no file uses",
      "",
      "“s3-uploads reconcile --repair” puts right what can be put right; stop the server for it.",
      "",
    ]);
    expect(exitCode).toBe(1);
  });

  test("--repair says what it did and what is left, and leaves nothing for the next one", async () => {
    await makeData();
    let lost = await addFile({ object: false });
    let orphan = await addFile({ row: false });
    let { stdout, exitCode } = await run({ repair: true });
    expect(stdout).toContain(`-> moved to uploads/quarantine/${orphan.s3_key.slice("uploads/".length)}\n`);
    expect(stdout).toContain("-> its row was moved to removed_rows in internal/state.db\n");
    expect(stdout).toContain("missing_object              1          0  a file whose object is gone\n");
    expect(stdout).toEndWith("Nothing is left to do.\n");
    expect(exitCode).toBe(0);
    using state = new Database(join(dataDir, "internal", "state.db"), { readonly: true });
    expect(state.query("SELECT uid, reason FROM removed_rows").all()).toEqual([
      { uid: lost.uid, reason: "its object is not in storage" },
    ]);
    expect(lines((await run({ repair: true })).stdout)).toEqual([
      "Compared 1 object in the local folder with 0 files of the catalog in 0.0 s.",
      "1 object in quarantine (uploads/quarantine/).",
      "Everything agrees.",
      "",
    ]);
    let late = await run({ repair: true, keep: "1d" });
    expect(late.stdout).toContain("removed           uploads/quarantine/");
    expect(late.stdout).toContain("its time in quarantine (1d) was over\n");
  });

  test("--json prints an object a line, the summary last", async () => {
    await makeData();
    let lost = await addFile({ object: false });
    let { stdout, exitCode } = await run({ json: true });
    let [finding, summary] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(finding).toMatchObject({
      kind: "missing_object",
      storage: "local",
      bucket: "local",
      key: lost.s3_key,
      uid: lost.uid,
      file_id: 1,
      action: "none",
    });
    expect(summary).toMatchObject({
      kind: "summary",
      objects: 0,
      files: 1,
      found: { missing_object: 1, orphan_object: 0 },
      left: { missing_object: 1 },
      exit_status: exitCode,
    });
  });

  test("shows twenty of a kind and counts the rest; --json shows all of them", async () => {
    await makeData();
    for (let i = 0; i < 23; i++) await addFile({ row: false });
    let { stdout } = await run({});
    expect(stdout.match(/^orphan_object {5}uploads/gm)).toHaveLength(20);
    expect(stdout.match(/^orphan_object {5}and more; --json prints all of them$/gm)).toHaveLength(1);
    expect(stdout).toContain("orphan_object              23  an object that no file uses\n");
    expect(stdout).toContain("23 of 23 objects belong to no file.");
    expect((await run({ json: true })).stdout.match(/"kind":"orphan_object"/g)).toHaveLength(23);
    let held = await run({ repair: true });
    expect(held.exitCode).toBe(1);
    expect(held.stdout).toContain("If that is as it should be, --force repairs all the same.\n");
    let forced = await run({ repair: true, force: true });
    expect(forced.stdout.match(/-> moved to/g)).toHaveLength(23);
    expect(forced.exitCode).toBe(0);
  });

  test("leaves alone what is young, and says so", async () => {
    await makeData();
    await addFile({ row: false });
    let { stdout, exitCode } = await run({ "min-age": "1w" });
    expect(stdout).toEndWith(
      "1 thing younger than 1w (--min-age) can't be judged yet.\nEverything else agrees.\n",
    );
    expect(exitCode).toBe(0);
    expect((await run({ "min-age": "0" }, { aheadMs: 0 })).exitCode).toBe(1);
  });

  test("exits 3 when storage could not be looked at, and repairs nothing then", async () => {
    await makeData();
    await addFile();
    rmSync(objects, { recursive: true });
    let { stdout, exitCode } = await run({ repair: true, force: true });
    expect(exitCode).toBe(3);
    expect(stdout).toContain("There is no folder");
    expect(stdout).toContain("got no answer, so that this is not the whole truth");
    expect(existsSync(objects)).toBe(false);
    expect((await run({ json: true })).stdout).toContain('"files":0');
  }, 60_000);

  test("never lets a key steer the terminal", async () => {
    await makeData();
    await createLocalStorage({ directory: objects }).put(
      putRequest("uploads/\u009B31mred\u202E", bytesOf(1)),
    );
    let { stdout } = await run({});
    expect(stdout).toContain("foreign_object    uploads/\\u{9b}31mred\\u{202e}\n");
  });

  test("shows its progress to a terminal, and erases it before anything else is written", async () => {
    await makeData();
    await addFile({ row: false });
    let { stdout, stderr } = await run({ deep: true }, { isTerminal: true });
    expect(stderr).toStartWith("\r\u001B[KComparing: 1 objects, ");
    expect(stderr).toEndWith("\r\u001B[K");
    expect(stdout).not.toContain("\r");
  });
});

test("the program ends without complaint when nobody reads its output to the end", async () => {
  await makeData();
  let month = join(objects, "uploads", "2026", "01");
  mkdirSync(month, { recursive: true });
  for (let i = 0; i < 1_000; i++) writeFileSync(join(month, `${Bun.randomUUIDv7()}.bin`), "");
  let command = `"$1" src/main.ts reconcile --data-dir "$2" --min-age 0 --json | head -n 1`;
  let child = Bun.spawn(["sh", "-c", command, "sh", process.execPath, dataDir], {
    cwd: join(import.meta.dir, "..", ".."),
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: "pipe",
    stderr: "pipe",
  });
  expect((await child.stdout.text()).split("\n")).toHaveLength(2);
  expect(await child.stderr.text()).toBe("");
});

describe("reconcile is refused", () => {
  test.each<[CommandOptions, string]>([
    [{ "min-age": "soon" }, "--min-age takes a time such as 24h, 30m, 7d or 0, not “soon”."],
    [{ repair: true, keep: "-1d" }, "--keep takes a time"],
    [{ keep: "1d" }, "--keep only means something with --repair."],
    [{ force: true }, "--force only means something with --repair."],
  ])("with %j, as a wrong command line", async (options, sentence) => {
    let { stdout, stderr, exitCode } = await run(options);
    expect([stdout, exitCode]).toEqual(["", 2]);
    expect(stderr).toStartWith(`s3-uploads: ${sentence}`);
    expect(existsSync(dataDir)).toBe(false);
  });

  test("where there is no catalog, and makes nothing", async () => {
    for (let options of [{}, { repair: true } as const]) {
      let { stderr, exitCode } = await run(options);
      expect(exitCode).toBe(3);
      expect(stderr).toContain(`There is no catalog ${join(dataDir, "uploads.db")}: is data_dir right?`);
      expect(existsSync(dataDir)).toBe(false);
    }
  });

  test("on a catalog that is damaged, which it leaves as it is", async () => {
    await makeData();
    let path = join(dataDir, "uploads.db");
    for (let name of readdirSync(dataDir)) if (name.startsWith("uploads.db-")) rmSync(join(dataDir, name));
    writeFileSync(path, "not a database, but long enough to be taken for one".repeat(100));
    let { stderr, exitCode } = await run({});
    expect(exitCode).toBe(3);
    expect(stderr).toContain("Could not read the catalog");
  });

  test("with --repair while a server has the data folder, but not without", async () => {
    await makeData();
    let lock = lockDataFolder(dataDir);
    try {
      let { stderr, exitCode } = await run({ repair: true });
      expect(exitCode).toBe(3);
      expect(stderr).toContain(`The data folder ${dataDir} is in use by a running s3-uploads server`);
      expect((await run({})).exitCode).toBe(0);
    } finally {
      lock.release();
    }
    expect((await run({ repair: true })).exitCode).toBe(0);
    // The repair has let go of it.
    lockDataFolder(dataDir).release();
  });
});

describe("a length of time", () => {
  test.each([
    ["0", 0],
    ["0h", 0],
    ["30m", 30 * MINUTE_MS],
    ["24h", 24 * HOUR_MS],
    [" 7d ", 7 * DAY_MS],
    ["8w", 56 * DAY_MS],
    ["90s", 90_000],
  ])("%s is read", (text, ms) => {
    expect(parseDuration(text, "--x")).toBe(ms);
  });

  test.each(["", "24", "h", "-1h", "1.5h", "1e3d", "24 h", "9999999d", "1y"])("%j is refused", (text) => {
    expect(() => parseDuration(text, "--x")).toThrow("--x takes a time");
  });
});
