import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createCommitSync } from "../src/commit-sync.ts";
import { createDeleteFile } from "../src/delete-file.ts";
import type { FileRecord } from "../src/domain.ts";
import { AppError } from "../src/errors.ts";
import { randomIds } from "../src/ids.ts";
import { silentLog } from "../src/log.ts";
import { createMarks } from "../src/marks.ts";
import { createSqliteRepository } from "../src/record/sqlite-repository.ts";
import { createRecovery } from "../src/recover.ts";
import { openStateDatabase } from "../src/state/database.ts";
import { createJournal } from "../src/state/sqlite-journal.ts";
import { createTrashTable } from "../src/state/trash-table.ts";
import { createLocalStorage } from "../src/store/local.ts";
import { createTrash, undoMs } from "../src/trash.ts";
import { DAY_MS, MINUTE_MS } from "../src/units.ts";
import { newFile } from "./record/new-file.ts";
import { bytesOf, putRequest } from "./store/bodies.ts";
import { eventually } from "./support/server.ts";

let folder = "";
let nowMs = 0;
let clock = { nowMs: () => nowMs };
/** How far somebody has set the clock while the server ran. */
let setMs = 0;
let steady = { nowMs: () => nowMs - setMs };
let down = false;
let refused = false;
let world: ReturnType<typeof open>;

/** What a server has open, on the folder of the test. */
function open() {
  let state = openStateDatabase(join(folder, "state.db"));
  let commits = createCommitSync(state);
  let journal = createJournal(state, commits, clock);
  let path = join(folder, "uploads.db");
  let repository = createSqliteRepository({ path, tableName: "s3_uploads", log: silentLog });
  let storage = createLocalStorage({ directory: join(folder, "objects") });
  let reachable = {
    ...storage,
    delete: (key: string) => {
      if (refused) return Promise.reject(new AppError("storage_error", "may not delete"));
      return down ? Promise.reject(new AppError("storage_unavailable", "down")) : storage.delete(key);
    },
  };
  let storageFor = () => reachable;
  let marks = createMarks({ storageFor, s3Prefix: "uploads/", log: silentLog });
  let recovery = createRecovery({ journal, repository, storageFor, marks, log: silentLog, lateMs: 0 });
  let deleteFile = createDeleteFile({ repository, journal, recovery, storageFor, marks });
  let table = createTrashTable(state, commits);
  // Of its own: the one before may still be told that its databases are closed.
  let warnings: string[] = [];
  let postponed = 0;
  let log = {
    ...silentLog,
    warn(_facts: object, message: string) {
      warnings.push(message);
      postponed++;
    },
    debug: () => void postponed++,
  };
  let trash = createTrash({ table, repository, deleteFile, clock, steady, ids: randomIds, log });
  return {
    repository,
    storage,
    journal,
    recovery,
    table,
    trash,
    deleteFile,
    warnings,
    /** Deletions that failed and are to be tried again, said or not. */
    postponed: () => postponed,
    close() {
      trash.stop();
      repository.close();
      journal.flush();
      commits.close();
      state.close();
    },
  };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "s3-uploads-trash-"));
  nowMs = Date.UTC(2026, 0, 1);
  setMs = 0;
  refused = false;
  down = false;
  world = open();
  await world.storage.probe();
});
afterEach(() => {
  world.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The server ends, and starts again after some time. */
async function restart(afterMs: number): Promise<void> {
  world.close();
  nowMs += afterMs;
  world = open();
  await world.trash.load();
}

async function addFile(facts: Parameters<typeof newFile>[0] = {}): Promise<FileRecord> {
  let row = newFile(facts);
  await world.storage.put(putRequest(row.s3_key, bytesOf(100)));
  return (await world.repository.create(row, "link")).record;
}

const isThere = async (file: FileRecord) => (await world.storage.head(file.s3_key)) !== null;
const shown = async () => (await world.repository.list({})).rows.map((row) => row.id);
const kept = () => world.table.all().length;
const gone = () => eventually(kept, (count) => count === 0);

test("a file is out of sight at once, and back as it was when it is undone", async () => {
  let file = await addFile();
  let { undoable, missing } = await world.trash.put([String(file.id), "99"]);
  expect(undoable).toMatchObject({ fileIds: [file.id], msLeft: undoMs });
  expect(missing).toEqual(["99"]);
  expect([await shown(), await isThere(file), kept()]).toEqual([[], true, 1]);
  nowMs += undoMs - 1;
  expect(world.trash.find(undoable.batch)).toMatchObject({ msLeft: 1 });
  expect(await world.trash.restore([file.uid])).toEqual({ restored: [file.id], failed: [] });
  expect(await world.repository.get(file.id)).toEqual(file);
  expect([await isThere(file), kept(), world.trash.find(undoable.batch)]).toEqual([true, 0, null]);
});

test("undoing twice is undoing once; what was never there can't be had back", async () => {
  let file = await addFile();
  await world.trash.put([file.uid]);
  let both = await Promise.all([world.trash.restore([file.uid]), world.trash.restore([file.uid])]);
  expect(both.flatMap((result) => result.restored)).toContain(file.id);
  expect(await world.trash.restore([String(file.id), "99"])).toMatchObject({
    restored: [file.id],
    failed: [{ id: "99", error: { code: "gone" } }],
  });
});

for (let years of [-10, 10]) {
  test(`a clock that is set by ${years} years changes nothing about the thirty seconds`, async () => {
    let [first, second] = [await addFile(), await addFile()];
    let { undoable } = await world.trash.put([first.uid]);
    await world.trash.put([second.uid]);
    setMs = years * 365 * DAY_MS;
    nowMs += setMs + undoMs - 20;
    world.trash.start();
    expect(world.trash.find(undoable.batch)).toMatchObject({ msLeft: 20 });
    expect((await world.trash.restore([first.uid])).restored).toEqual([first.id]);
    nowMs += 20;
    await gone();
    expect([await isThere(first), await isThere(second)]).toEqual([true, false]);
  });
}

test("row and object go when the time is over, not before", async () => {
  let [first, second] = [await addFile(), await addFile()];
  await world.trash.put([first.uid]);
  nowMs += undoMs - 20;
  world.trash.start();
  await world.trash.put([second.uid]);
  expect(kept()).toBe(2);
  nowMs += 20;
  await eventually(kept, (count) => count === 1);
  expect([await isThere(first), await isThere(second)]).toEqual([false, true]);
  expect(await world.trash.restore([first.uid])).toMatchObject({ failed: [{ error: { code: "gone" } }] });
  expect(world.journal.open()).toEqual([]);
});

test("at the last moment one of the two has it: undo until the time is over, from then on the deletion", async () => {
  let [early, late] = [await addFile(), await addFile()];
  await world.trash.put([early.uid, late.uid]);
  nowMs += undoMs - 1;
  let undone = world.trash.restore([early.uid]);
  nowMs += 1;
  world.trash.start();
  expect(await undone).toMatchObject({ restored: [early.id] });
  expect(await world.trash.restore([late.uid])).toMatchObject({ failed: [{ error: { code: "gone" } }] });
  await gone();
  expect([await shown(), await isThere(early), await isThere(late)]).toEqual([[early.id], true, false]);
});

describe("after a restart", () => {
  test("a file stays out of sight, and can be had back for the rest of the time", async () => {
    let file = await addFile();
    let { undoable } = await world.trash.put([file.uid]);
    await restart(10_000);
    expect(await shown()).toEqual([]);
    expect(world.trash.find(undoable.batch)).toMatchObject({ msLeft: undoMs - 10_000 });
    expect((await world.trash.restore([file.uid])).restored).toEqual([file.id]);
    await restart(0);
    expect(await shown()).toEqual([file.id]);
  });

  test("it goes at once when the time has passed", async () => {
    let file = await addFile();
    await world.trash.put([file.uid]);
    await restart(undoMs);
    expect(await shown()).toEqual([]);
    world.trash.start();
    await gone();
    expect(await isThere(file)).toBe(false);
  });

  test("a deletion that had begun is finished, and takes the object along", async () => {
    let file = await addFile();
    await world.trash.put([file.uid]);
    await world.journal.beginDelete({
      uid: file.uid,
      fileId: file.id,
      storage: "local",
      bucket: "local",
      key: file.s3_key,
    });
    await restart(undoMs);
    expect(await world.recovery.run()).toBe(0);
    expect(await isThere(file)).toBe(false);
    world.trash.start();
    await gone();
    expect(world.journal.open()).toEqual([]);
  });

  test("a clock that was set back does not make it wait for longer than ever", async () => {
    let file = await addFile();
    let { undoable } = await world.trash.put([file.uid]);
    await restart(-1_000_000);
    expect(world.trash.find(undoable.batch)).toMatchObject({ msLeft: undoMs });
  });
});

test("storage that is away leaves no line without its file: it is tried again", async () => {
  let file = await addFile();
  await world.trash.put([file.uid]);
  nowMs += undoMs;
  down = true;
  world.trash.start();
  await eventually(
    () => world.journal.open().length,
    (count) => count === 0,
  );
  expect([await shown(), kept()]).toEqual([[], 1]);
  expect(await world.trash.restore([file.uid])).toMatchObject({ failed: [{ error: { code: "gone" } }] });
  down = false;
  await restart(0);
  expect(await shown()).toEqual([]);
  world.trash.start();
  await gone();
  expect(await isThere(file)).toBe(false);
});

test("rows that share an object: it goes with the last of them, and comes back with the first", async () => {
  let checksum_sha256 = "ab".repeat(32);
  let first = await addFile({ checksum_sha256 });
  let second = await addFile({ checksum_sha256 });
  expect(second.s3_key).toBe(first.s3_key);
  await world.trash.put([first.uid]);
  await world.deleteFile(second.uid);
  expect(await isThere(first)).toBe(true);
  expect((await world.trash.restore([first.uid])).restored).toEqual([first.id]);
  await world.trash.put([first.uid]);
  // The same bytes again, while the first is on its way out: they get an object of their own.
  let third = await addFile({ checksum_sha256 });
  expect(third.s3_key).not.toBe(first.s3_key);
  nowMs += undoMs;
  world.trash.start();
  await gone();
  expect([await isThere(first), await isThere(third)]).toEqual([false, true]);
});

test("many go in one step", async () => {
  let files: FileRecord[] = [];
  for (let i = 0; i < 30; i += 1) files.push(await addFile());
  await world.trash.put(files.map((file) => file.uid));
  nowMs += undoMs;
  world.trash.start();
  await gone();
  expect((await Promise.all(files.map(isThere))).some(Boolean)).toBe(false);
});

test("a deletion that storage refuses is said once, and done when it is allowed", async () => {
  let file = await addFile();
  await world.trash.put([file.uid]);
  refused = true;
  nowMs += undoMs;
  world.trash.start();
  for (let tries = 1; tries <= 4; tries++) {
    await eventually(world.postponed, (count) => count === tries);
    world.trash.stop();
    nowMs += 10 * MINUTE_MS;
    if (tries < 4) world.trash.start();
  }
  expect(world.warnings).toEqual(["a deletion has to wait"]);
  expect([await shown(), await isThere(file), kept(), world.journal.open()]).toEqual([[], true, 1, []]);
  refused = false;
  world.trash.start();
  await gone();
  expect(await isThere(file)).toBe(false);
});
