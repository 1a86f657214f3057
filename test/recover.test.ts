import type { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../src/clock.ts";
import { createCommitSync } from "../src/commit-sync.ts";
import { createDeleteFile } from "../src/delete-file.ts";
import type { NewFileRecord } from "../src/domain.ts";
import { AppError } from "../src/errors.ts";
import { silentLog } from "../src/log.ts";
import { createMarks } from "../src/marks.ts";
import type { FileRepository } from "../src/record/file-repository.ts";
import { createSqliteRepository } from "../src/record/sqlite-repository.ts";
import { createRecovery, type Recovery } from "../src/recover.ts";
import { openStateDatabase } from "../src/state/database.ts";
import { createJournal } from "../src/state/sqlite-journal.ts";
import { quarantineKey } from "../src/store/key-kinds.ts";
import { createLocalStorage } from "../src/store/local.ts";
import type { Storage, UnfinishedUpload } from "../src/store/storage.ts";
import { HOUR_MS } from "../src/units.ts";
import { newFile } from "./record/new-file.ts";
import { bytesOf, putRequest } from "./store/bodies.ts";
import { eventually } from "./support/server.ts";

let folder = "";
let state: Database;
let journal: ReturnType<typeof createJournal>;
let repository: FileRepository;
let storage: Storage;
let recovery: Recovery;
let aborted: string[] = [];
let down = false;
/** What the bucket's policy forbids. */
let forbidden: ("abort" | "delete" | "list unfinished")[] = [];
let listRefusalsLeft = 0;
let warnings: string[] = [];
/** Longer than a test needs to make the object that comes late. */
const lateMs = 500;
let nowMs: number;
/** In the bucket. */
let unfinished: UnfinishedUpload[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "s3-uploads-recover-"));
  state = openStateDatabase(join(folder, "state.db"));
  journal = createJournal(state, createCommitSync(state), systemClock);
  repository = createSqliteRepository({
    path: join(folder, "uploads.db"),
    tableName: "s3_uploads",
    log: silentLog,
  });
  storage = createLocalStorage({ directory: join(folder, "objects") });
  aborted = [];
  unfinished = [];
  down = false;
  forbidden = [];
  warnings = [];
  // as a server does before it recovers; it makes the folder
  await storage.probe();
  let reachable: Storage = {
    ...storage,
    delete: (key) => (down ? unavailable() : (refusedIf("delete") ?? storage.delete(key))),
    async *listUnfinished() {
      if (listRefusalsLeft-- > 0) throw new AppError("storage_error", "denied");
      await refusedIf("list unfinished");
      yield* unfinished;
    },
    abortMultipart: async (key, uploadId) => {
      if (down) await unavailable();
      await refusedIf("abort");
      aborted.push(`${key} ${uploadId}`);
    },
  };
  let storageFor = () => reachable;
  let log = { ...silentLog, warn: (_facts: object, message: string) => void warnings.push(message) };
  let marks = createMarks({ storageFor, s3Prefix: "uploads/", log: silentLog });
  nowMs = Date.now();
  let clock = { nowMs: () => nowMs };
  recovery = createRecovery({ journal, repository, storageFor, marks, log, lateMs, clock });
});
afterEach(() => {
  recovery.stop();
  repository.close();
  journal.flush();
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

function unavailable(): Promise<never> {
  return Promise.reject(new AppError("storage_unavailable", "down"));
}

function refusedIf(what: (typeof forbidden)[number]): Promise<never> | null {
  return forbidden.includes(what) ? Promise.reject(new AppError("storage_error", `may not ${what}`)) : null;
}

/** An upload that got as far as its object. */
async function stored(facts: Partial<NewFileRecord> = {}): Promise<NewFileRecord> {
  let row = newFile(facts);
  await journal.beginUpload({ uid: row.uid, storage: "local", bucket: "local", key: row.s3_key });
  await storage.put(putRequest(row.s3_key, bytesOf(100)));
  return row;
}

async function isThere(row: NewFileRecord): Promise<boolean> {
  return (await storage.head(row.s3_key)) !== null;
}

function openIntents(): string[] {
  return journal.open().map(({ kind, uid }) => `${kind} ${uid}`);
}

describe("an upload that is open in the journal", () => {
  test("without a row loses its object", async () => {
    let row = await stored();
    expect(await recovery.run()).toBe(0);
    expect([await isThere(row), openIntents()]).toEqual([false, []]);
  });

  test("from long ago, as in a journal from a backup, has its object set aside instead", async () => {
    let uid = Bun.randomUUIDv7();
    let row = await stored({ uid, s3_key: `uploads/2026/01/${uid}.bin` });
    nowMs += 2 * HOUR_MS;
    expect(await recovery.run()).toBe(0);
    expect([await isThere(row), openIntents()]).toEqual([false, []]);
    let aside = await storage.head(quarantineKey("uploads/", row.s3_key));
    expect(aside?.sizeBytes).toBe(100);
  });

  test("that got to no object is forgotten", async () => {
    await journal.beginUpload({ uid: "u", storage: "local", bucket: "local", key: "uploads/2026/01/u.bin" });
    expect(await recovery.run()).toBe(0);
    expect(openIntents()).toEqual([]);
  });

  test("has its unfinished parts ended", async () => {
    await journal.beginUpload({ uid: "u", storage: "s3", bucket: "b", key: "k" });
    await journal.multipartCreated("u", "upload-1");
    expect(await recovery.run()).toBe(1);
    expect(aborted).toEqual(["k upload-1"]);
  });

  test("has all its parts ended when the answer to Create was lost and another one got through", async () => {
    await journal.beginUpload({ uid: "u", storage: "s3", bucket: "b", key: "k" });
    await journal.multipartCreated("u", "upload-2");
    unfinished = [{ key: "k", uploadId: "upload-1", initiatedAtMs: 0 }];
    await recovery.run();
    expect(aborted).toEqual(["k upload-2", "k upload-1"]);
  });

  test("has parts ended whose id was not noted any more", async () => {
    await journal.beginUpload({ uid: "u", storage: "s3", bucket: "b", key: "k" });
    unfinished = [{ key: "k", uploadId: "upload-1", initiatedAtMs: 0 }];
    expect(await recovery.run()).toBe(1);
    expect(aborted).toEqual(["k upload-1"]);
  });

  test("whose parts may not be ended is let go after three refusals, and both are said once", async () => {
    forbidden = ["abort"];
    await journal.beginUpload({ uid: "u", storage: "s3", bucket: "b", key: "k" });
    await journal.multipartCreated("u", "upload-1");
    expect([await recovery.run(), await recovery.run()]).toEqual([1, 1]);
    expect(openIntents()).toEqual(["upload u"]);
    await recovery.run();
    await eventually(openIntents, (open) => open.length === 0);
    expect(warnings).toEqual([
      "an intent stays open",
      "the parts of an upload are left in the bucket: it refuses to abort it",
    ]);
  });

  test("whose parts may be ended at the second try is not let go before", async () => {
    forbidden = ["abort"];
    await journal.beginUpload({ uid: "u", storage: "s3", bucket: "b", key: "k" });
    await journal.multipartCreated("u", "upload-1");
    expect(await recovery.run()).toBe(1);
    forbidden = [];
    await recovery.run();
    expect([aborted, openIntents()]).toEqual([["k upload-1"], ["upload u"]]);
    await eventually(openIntents, (open) => open.length === 0);
  });

  test("is undone where unfinished uploads can't be listed, without a word about each", async () => {
    forbidden = ["list unfinished"];
    let row = await stored();
    expect(await recovery.run()).toBe(0);
    expect([await isThere(row), openIntents(), warnings]).toEqual([false, [], []]);
  });

  test("loses what else was begun under its key, though the list of it is refused once", async () => {
    let row = await stored();
    unfinished = [{ key: row.s3_key, uploadId: "stray", initiatedAtMs: nowMs }];
    listRefusalsLeft = 1;
    expect(await recovery.run()).toBe(0);
    expect(aborted).toContain(`${row.s3_key} stray`);
  });

  test("whose object may not be deleted stays open, which is said once, until it may", async () => {
    forbidden = ["delete"];
    let row = await stored();
    for (let nth = 0; nth < 5; nth++) expect(await recovery.run()).toBe(1);
    expect([openIntents(), warnings]).toEqual([[`upload ${row.uid}`], ["an intent stays open"]]);
    forbidden = [];
    expect(await recovery.run()).toBe(0);
    expect([await isThere(row), openIntents()]).toEqual([false, []]);
  });

  test("with its row keeps everything", async () => {
    let row = await stored();
    await repository.create(row, "store");
    expect(await recovery.run()).toBe(0);
    expect([await isThere(row), openIntents()]).toEqual([true, []]);
    expect(await repository.get(row.uid)).not.toBeNull();
  });

  test("whose row shares an older object loses its own only", async () => {
    let older = await stored();
    await repository.create(older, "link");
    journal.closeUpload(older.uid);
    let twin = await stored({ checksum_sha256: older.checksum_sha256, size_bytes: older.size_bytes });
    expect((await repository.create(twin, "link")).linked).toBe(true);
    expect(await recovery.run()).toBe(0);
    expect([await isThere(older), await isThere(twin), openIntents()]).toEqual([true, false, []]);
    expect(await repository.get(twin.uid)).not.toBeNull();
  });

  test("stays alone while a request works on it", async () => {
    let row = await stored();
    let release = recovery.claim(row.uid);
    expect(await recovery.run()).toBe(0);
    expect(await isThere(row)).toBe(true);
    release();
    await recovery.run();
    expect([await isThere(row), openIntents()]).toEqual([false, []]);
  });

  test("stays open while storage is down, and is undone later", async () => {
    let row = await stored();
    down = true;
    await recovery.undoUpload(row.uid);
    expect(await recovery.run()).toBe(1);
    expect(openIntents()).toEqual([`upload ${row.uid}`]);
    down = false;
    expect(await recovery.run()).toBe(0);
    expect([await isThere(row), openIntents()]).toEqual([false, []]);
  });

  for (let [when, undo] of [
    ["by a request that was given up", (uid: string) => recovery.undoUpload(uid, true)],
    ["by a process that has ended", () => recovery.run()],
  ] as const) {
    test(`whose object may yet come to be, sent ${when}, is looked for once more`, async () => {
      let row = newFile();
      await journal.beginUpload({ uid: row.uid, storage: "s3", bucket: "b", key: row.s3_key });
      await undo(row.uid);
      expect(openIntents()).toEqual([`upload ${row.uid}`]);
      // A look that comes too early ends nothing.
      await recovery.run();
      expect(openIntents()).toEqual([`upload ${row.uid}`]);
      await storage.put(putRequest(row.s3_key, bytesOf(100)));
      await eventually(openIntents, (open) => open.length === 0);
      expect(await isThere(row)).toBe(false);
    });
  }

  test("that can't be undone does not keep the others from it", async () => {
    await journal.beginUpload({ uid: "first", storage: "s3", bucket: "b", key: "k" });
    await journal.multipartCreated("first", "upload-1");
    let kept = await stored();
    await repository.create(kept, "store");
    down = true;
    expect(await recovery.run()).toBe(1);
    expect(openIntents()).toEqual(["upload first"]);
  });

  test("is undone once however often it is asked for", async () => {
    let row = await stored();
    await Promise.all([recovery.run(), recovery.run(), recovery.undoUpload(row.uid)]);
    await recovery.undoUpload(row.uid);
    expect([await isThere(row), openIntents()]).toEqual([false, []]);
  });
});

async function recorded(facts: Partial<NewFileRecord> = {}) {
  let row = await stored(facts);
  let { record } = await repository.create(row, "link");
  journal.closeUpload(row.uid);
  if (!(await isThere(record))) throw new Error("no object");
  return record;
}

function begin({ uid, id, s3_key: key }: { uid: string; id: number; s3_key: string }) {
  return journal.beginDelete({ uid, fileId: id, storage: "local", bucket: "local", key });
}

describe("a deletion that is open in the journal", () => {
  test("is finished", async () => {
    let record = await recorded();
    await begin(record);
    expect(await recovery.run()).toBe(0);
    expect([await repository.get(record.id), await isThere(record), openIntents()]).toEqual([
      null,
      false,
      [],
    ]);
  });

  test("whose object is gone already is finished too", async () => {
    let record = await recorded();
    await begin(record);
    await storage.delete(record.s3_key);
    expect(await recovery.run()).toBe(0);
    expect([await repository.get(record.id), openIntents()]).toEqual([null, []]);
  });

  test("whose row is gone already is closed, and an object that is left goes", async () => {
    let record = await recorded();
    await begin(record);
    await repository.finishDelete(record.id);
    expect(await recovery.run()).toBe(0);
    expect([await isThere(record), openIntents()]).toEqual([false, []]);
  });

  test("leaves an object that another row uses", async () => {
    let older = await recorded();
    let twin = await recorded({ checksum_sha256: older.checksum_sha256, size_bytes: older.size_bytes });
    expect(twin.s3_key).toBe(older.s3_key);
    await begin(older);
    expect(await recovery.run()).toBe(0);
    expect([await repository.get(older.id), await isThere(twin), openIntents()]).toEqual([null, true, []]);
  });

  test("that storage refuses by now is taken back, unless the object is gone", async () => {
    let [kept, gone] = [await recorded(), await recorded()];
    await begin(kept);
    await begin(gone);
    await storage.delete(gone.s3_key);
    forbidden = ["delete"];
    expect(await recovery.run()).toBe(1);
    expect([await repository.get(kept.id), await repository.get(gone.id)]).toEqual([kept, null]);
    expect([openIntents(), await rowsOf(gone)]).toEqual([[], 0]);
  });

  test("keeps row and intent while storage is down, out of sight", async () => {
    let record = await recorded();
    await begin(record);
    down = true;
    expect(await recovery.run()).toBe(1);
    expect(openIntents()).toEqual([`delete ${record.uid}`]);
    expect([await repository.get(record.id), await rowsOf(record)]).toEqual([null, 1]);
    down = false;
    expect(await recovery.run()).toBe(0);
    expect([await repository.get(record.id), openIntents()]).toEqual([null, []]);
  });

  test("by a request whose storage refuses shows the row again and forgets the intent", async () => {
    let record = await recorded();
    let error = await failedDelete(record, () => Promise.reject(new AppError("storage_error", "denied")));
    expect(error).toBe("storage_error");
    expect([openIntents(), (await repository.get(record.id))?.id]).toEqual([[], record.id]);
    expect(await recovery.run()).toBe(0);
    expect(await isThere(record)).toBe(true);
  });

  test("by a request whose storage refuses is taken back for good, also over a crash", async () => {
    let record = await recorded();
    await failedDelete(record, () => Promise.reject(new AppError("storage_error", "denied")));
    // What a close that waits for the next commit would not have survived.
    let open = state.query("SELECT count(*) AS n FROM intents WHERE kind = 'delete'").get();
    expect(open).toEqual({ n: 0 });
  });

  test("by a request that can't know whether the object is gone stays out of sight and is finished later", async () => {
    let record = await recorded();
    let error = await failedDelete(record, async (key) => {
      await storage.delete(key);
      return unavailable();
    });
    expect(error).toBe("storage_unavailable");
    expect([await repository.get(record.id), openIntents()]).toEqual([null, [`delete ${record.uid}`]]);
    expect(await recovery.run()).toBe(0);
    expect([await rowsOf(record), openIntents()]).toEqual([0, []]);
  });

  test("by a request whose row can't be removed just now is finished later", async () => {
    let record = await recorded();
    let { finishDelete } = repository;
    repository.finishDelete = () => Promise.reject(new AppError("server_busy"));
    expect(await failedDelete(record, storage.delete)).toBe("server_busy");
    repository.finishDelete = finishDelete;
    expect([await repository.get(record.id), await isThere(record)]).toEqual([null, false]);
    expect(await recovery.run()).toBe(0);
    expect([await rowsOf(record), openIntents()]).toEqual([0, []]);
  });

  test("is out of sight before recovery could finish it, so that nothing links to it", async () => {
    let record = await recorded();
    await begin(record);
    await recovery.hideDeletions();
    expect(await repository.get(record.id)).toBeNull();
    let twin = await stored({ checksum_sha256: record.checksum_sha256, size_bytes: record.size_bytes });
    expect((await repository.create(twin, "link")).linked).toBe(false);
    expect(await recovery.run()).toBe(0);
    expect([await isThere(record), await isThere(twin)]).toEqual([false, true]);
  });

  test("that was taken back while others were being finished is left alone", async () => {
    let first = await recorded();
    let second = await recorded({ checksum_sha256: "b".repeat(64) });
    await begin(first);
    await begin(second);
    let { finishDelete } = repository;
    repository.finishDelete = async (id) => {
      journal.closeDelete(second.uid);
      return finishDelete(id);
    };
    expect(await recovery.run()).toBe(0);
    expect(await isThere(second)).toBe(true);
  });
});

function rowsOf(row: NewFileRecord): Promise<number> {
  return repository.countByKey(row.storage, row.bucket, row.s3_key);
}

/** The code with which a request's deletion fails. */
async function failedDelete(record: { id: number }, remove: Storage["delete"]): Promise<string> {
  let failing: Storage = { ...storage, delete: remove };
  let storageFor = () => failing;
  let marks = createMarks({ storageFor, s3Prefix: "uploads/", log: silentLog });
  let deleteFile = createDeleteFile({ repository, journal, recovery, storageFor, marks });
  return deleteFile(record.id).then(
    () => "none",
    (error: AppError) => error.code,
  );
}
