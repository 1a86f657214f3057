import type { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../src/clock.ts";
import { createCommitSync } from "../src/commit-sync.ts";
import { createDeleteFile, type DeleteFile } from "../src/delete-file.ts";
import type { FileRecord } from "../src/domain.ts";
import { AppError } from "../src/errors.ts";
import { silentLog } from "../src/log.ts";
import { createMarks, linkedKey, markedRow, type Marks } from "../src/marks.ts";
import type { FileRepository } from "../src/record/file-repository.ts";
import { createSqliteRepository } from "../src/record/sqlite-repository.ts";
import { createRecovery, type Recovery } from "../src/recover.ts";
import { openStateDatabase } from "../src/state/database.ts";
import { createJournal } from "../src/state/sqlite-journal.ts";
import { ownUid } from "../src/store/key-kinds.ts";
import { readUserMetadata } from "../src/store/keys.ts";
import { createLocalStorage } from "../src/store/local.ts";
import type { Storage } from "../src/store/storage.ts";
import { newFile } from "./record/new-file.ts";
import { bytesOf, putRequest } from "./store/bodies.ts";

const bytes = bytesOf(100);
const checksum_sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

let folder = "";
let state: Database;
let journal: ReturnType<typeof createJournal>;
let repository: FileRepository;
let storage: Storage;
/** What the program sees of it. */
let seen: Storage;
let marks: Marks;
let recovery: Recovery;
let deleteFile: DeleteFile;
let calls: string[] = [];
/** Fails a call of the storage, by its name and key. */
let fault: ((call: string, key: string) => AppError | null) | null = null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "s3-uploads-marks-"));
  state = openStateDatabase(join(folder, "state.db"));
  journal = createJournal(state, createCommitSync(state), systemClock);
  repository = createSqliteRepository({ path: join(folder, "uploads.db"), tableName: "t", log: silentLog });
  storage = createLocalStorage({ directory: join(folder, "objects") });
  await storage.probe();
  calls = [];
  fault = null;
  async function tried(call: string, key: string): Promise<void> {
    calls.push(`${call} ${nameOf(key)}`);
    let error = fault?.(call, key);
    if (error) throw error;
  }
  seen = {
    ...storage,
    put: (request) => tried("put", request.key).then(() => storage.put(request)),
    delete: (key) => tried("delete", key).then(() => storage.delete(key)),
  };
  start();
});
afterEach(() => {
  repository.close();
  journal.flush();
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

let storageFor = () => seen;

/** As after a restart: nothing is known but what is on disk. */
function start(s3Prefix = "uploads/"): void {
  marks = createMarks({ storageFor, s3Prefix, log: silentLog });
  recovery = createRecovery({ journal, repository, storageFor, marks, log: silentLog, lateMs: 0 });
  deleteFile = createDeleteFile({ repository, journal, recovery, storageFor, marks });
}

async function restart(): Promise<number> {
  repository.close();
  repository = createSqliteRepository({ path: join(folder, "uploads.db"), tableName: "t", log: silentLog });
  start();
  await recovery.hideDeletions();
  return recovery.run();
}

/** `link`, `gone` or `object`, with the number of the upload. */
function nameOf(key: string): string {
  let ending = /\.(link|gone)$/.exec(key)?.[1] ?? "object";
  let number = uids.findIndex((uid) => key.includes(uid));
  return `${ending} ${number < 0 ? "?" : number + 1}`;
}
let uids: string[] = [];

/** An upload of the same bytes, up to its row; its intent is open. */
async function created(facts: { s3_key?: string } = {}): Promise<FileRecord> {
  let row = newFile({
    checksum_sha256,
    size_bytes: 100,
    metadata: { declared_type: "text/plain" },
    ...facts,
  });
  uids.push(row.uid);
  await journal.beginUpload({ uid: row.uid, storage: "local", bucket: "local", key: row.s3_key });
  await storage.put(putRequest(row.s3_key, bytes));
  return (await repository.create(row, "link")).record;
}

async function uploaded(): Promise<FileRecord> {
  let record = await created();
  await recovery.undoUpload(record.uid);
  return record;
}

beforeEach(() => void (uids = []));

async function census() {
  let found = await Array.fromAsync(storage.list(""));
  return {
    stored: found.map(({ key }) => nameOf(key)).toSorted(),
    rows: (await repository.list({})).rows.map(({ uid }) => uids.indexOf(uid) + 1).toSorted(),
    intents: journal.open().length,
  };
}

const unavailable = () => new AppError("storage_unavailable", "down");
const refused = () => new AppError("storage_error", "denied");

describe("a row that shares an object", () => {
  test("has a mark that tells all that its object does not", async () => {
    let [owner, twin] = [await uploaded(), await uploaded()];
    expect(await census()).toEqual({ stored: ["link 2", "object 1"], rows: [1, 2], intents: 0 });
    let mark = await storage.head(`uploads/marks/${twin.uid}.link`);
    expect(readUserMetadata(mark?.userMetadata ?? {})).toMatchObject({
      uid: twin.uid,
      filename: twin.filename,
      createdAt: twin.created_at,
      declaredType: "text/plain",
    });
    expect([mark?.sizeBytes, linkedKey(mark?.userMetadata ?? {})]).toEqual([0, owner.s3_key]);
  });

  test("is marked under the prefix of the object, whatever the prefix is today", async () => {
    let owner = await created({ s3_key: `old/2026/01/${newFile().uid}.bin` });
    uids[0] = ownUid({ storage: "local", bucket: "local", key: owner.s3_key });
    await recovery.undoUpload(owner.uid);
    let twin = await uploaded();
    expect(await storage.head(`old/marks/${twin.uid}.link`)).not.toBeNull();
    start("new/");
    await deleteFile(twin.id);
    expect((await census()).stored).toEqual(["object 1"]);
  });

  test("is marked under the prefix of today where somebody else has stored the object", async () => {
    let key = `incoming/${"ä/".repeat(300)}b`;
    let uid = ownUid({ storage: "local", bucket: "local", key });
    uids.push(uid);
    await storage.put(putRequest(key, bytes));
    await repository.create(newFile({ uid, s3_key: key, checksum_sha256 }), "store");
    let twin = await uploaded();
    let markKey = `uploads/marks/${twin.uid}.link`;
    let mark = await storage.head(markKey);
    expect(linkedKey(mark?.userMetadata ?? {})).toBeNull();
    expect(await new Response((await storage.open(markKey)).body).text()).toBe(key);
    await deleteFile(uid);
    expect(await storage.head(`uploads/marks/${uid}.gone`)).not.toBeNull();
    await deleteFile(twin.id);
    expect(await census()).toEqual({ stored: [], rows: [], intents: 0 });
  });

  test("is acknowledged while storage is down, and marked when it is back", async () => {
    await uploaded();
    let twin = await created();
    fault = unavailable;
    await recovery.undoUpload(twin.uid);
    expect(await census()).toEqual({ stored: ["object 1", "object 2"], rows: [1, 2], intents: 1 });
    expect(await recovery.run()).toBe(1);
    fault = null;
    expect(await recovery.run()).toBe(0);
    expect(await census()).toEqual({ stored: ["link 2", "object 1"], rows: [1, 2], intents: 0 });
  });

  test("loses its own object even where the mark is refused", async () => {
    await uploaded();
    fault = (call) => (call === "put" ? refused() : null);
    await uploaded();
    expect([await recovery.run(), await recovery.run()]).toEqual([1, 0]);
    expect(await census()).toEqual({ stored: ["object 1"], rows: [1, 2], intents: 0 });
  });

  test("is marked also while it waits in the trash", async () => {
    await uploaded();
    let twin = await created();
    await repository.setAside(twin.uid);
    expect(await recovery.run()).toBe(0);
    expect((await census()).stored).toEqual(["link 2", "object 1"]);
  });

  for (let [crash, isThere] of [
    ["before the mark", []],
    ["before its own object is gone", ["put"]],
    ["before the intent is closed", ["put", "delete"]],
  ] as const) {
    test(`is finished after a crash ${crash}`, async () => {
      await uploaded();
      let twin = await created();
      fault = (call) => ((isThere as readonly string[]).includes(call) ? null : unavailable());
      let { closeUpload } = journal;
      journal.closeUpload = () => {
        throw new AppError("internal_error", "crash");
      };
      await recovery.undoUpload(twin.uid);
      fault = null;
      journal.closeUpload = closeUpload;
      expect(await restart()).toBe(0);
      expect(await census()).toEqual({ stored: ["link 2", "object 1"], rows: [1, 2], intents: 0 });
      expect(await restart()).toBe(0);
    });
  }

  test("that was deleted before its mark was there has none after a crash", async () => {
    await uploaded();
    let linked = await created();
    // The deletion is through; the mark that was on its way has arrived, and nobody was left to see it.
    await deleteFile(linked.id);
    await marks.link(linked);
    expect(await restart()).toBe(0);
    expect(await census()).toEqual({ stored: ["object 1"], rows: [1], intents: 0 });
  });

  test("that is deleted while it is being marked leaves no mark", async () => {
    await uploaded();
    let twin = await created();
    let put = seen.put;
    seen.put = async (request) => {
      await deleteFile(twin.uid);
      return put(request);
    };
    await recovery.undoUpload(twin.uid);
    expect(await census()).toEqual({ stored: ["object 1"], rows: [1], intents: 0 });
  });
});

describe("a row of its own", () => {
  test("costs no call for marks, neither when it comes nor when it goes", async () => {
    let record = await uploaded();
    await deleteFile(record.id);
    expect(calls).toEqual(["delete object 1"]);
    expect(await census()).toEqual({ stored: [], rows: [], intents: 0 });
  });
});

/** What has to be in storage while these uploads, of the same bytes, have rows. */
function expected(rows: number[]): string[] {
  if (rows.length === 0) return [];
  let links = rows.filter((row) => row !== 1).map((row) => `link ${row}`);
  return [...links, "object 1", ...(rows.includes(1) ? [] : ["gone 1"])].toSorted();
}

const orders = [
  [1, 2, 3],
  [1, 3, 2],
  [2, 1, 3],
  [2, 3, 1],
  [3, 1, 2],
  [3, 2, 1],
];

/** Lets the deletion of one upload end at the nth step that can be seen from outside. */
async function crashAt(step: number, one: number): Promise<boolean> {
  let steps = 0;
  let crash = () => {
    if (++steps > step) throw new AppError("storage_unavailable", "crash");
  };
  fault = () => (++steps > step ? unavailable() : null);
  let { finishDelete } = repository;
  let { closeDelete } = journal;
  repository.finishDelete = async (id) => {
    crash();
    return finishDelete(id);
  };
  journal.closeDelete = (uid) => {
    crash();
    closeDelete(uid);
  };
  await deleteFile(uids[one - 1]!).catch(() => {});
  fault = null;
  repository.finishDelete = finishDelete;
  journal.closeDelete = closeDelete;
  return steps > step;
}

describe("deleting rows that share an object", () => {
  for (let order of orders) {
    test(`in the order ${order.join(", ")} leaves what the others need and nothing else`, async () => {
      for (let i = 0; i < 3; i++) await uploaded();
      let left = [1, 2, 3];
      for (let one of order) {
        await deleteFile(uids[one - 1]!);
        left = left.filter((row) => row !== one);
        expect(await census()).toEqual({ stored: expected(left), rows: left, intents: 0 });
      }
    });
  }

  test("all at once leaves nothing", async () => {
    for (let order of orders) {
      uids = [];
      for (let i = 0; i < 3; i++) await uploaded();
      await Promise.all(order.map((one) => deleteFile(uids[one - 1]!)));
      expect(await census()).toEqual({ stored: [], rows: [], intents: 0 });
    }
  });

  for (let [rows, one] of [
    [[1, 2], 1],
    [[1, 2], 2],
    [[2], 2],
    [[2, 3], 2],
    [[1], 1],
  ] as const) {
    test(`is finished by recovery from any step, of ${one} with rows ${rows.join(", ")}`, async () => {
      let crashed = true;
      for (let step = 0; crashed; step++) {
        uids = [];
        for (let i = 0; i < 3; i++) await uploaded();
        for (let other of [3, 1, 2]) {
          if (!(rows as readonly number[]).includes(other)) await deleteFile(uids[other - 1]!);
        }
        crashed = await crashAt(step, one);
        expect(await restart()).toBe(0);
        let left = rows.filter((row) => row !== one);
        expect(await census()).toEqual({ stored: expected(left), rows: left, intents: 0 });
        for (let row of left) await deleteFile(uids[row - 1]!);
        expect(await census()).toEqual({ stored: [], rows: [], intents: 0 });
      }
    });
  }

  test("goes on where a mark is refused", async () => {
    for (let i = 0; i < 2; i++) await uploaded();
    fault = (_call, key) => (key.includes("/marks/") ? refused() : null);
    await deleteFile(uids[0]!);
    await deleteFile(uids[1]!);
    expect((await census()).rows).toEqual([]);
    while ((await recovery.run()) > 0);
    expect(await census()).toEqual({ stored: ["link 2"], rows: [], intents: 0 });
  });

  test("is done for its sender while its mark is refused, and recovery writes that", async () => {
    for (let i = 0; i < 2; i++) await uploaded();
    fault = (_call, key) => (key.endsWith(".gone") ? refused() : null);
    await deleteFile(uids[0]!);
    expect(await census()).toEqual({ stored: ["link 2", "object 1"], rows: [2], intents: 1 });
    expect(await recovery.run()).toBe(1);
    fault = null;
    expect(await recovery.run()).toBe(0);
    expect(await census()).toEqual({ stored: ["gone 1", "link 2", "object 1"], rows: [2], intents: 0 });
    await deleteFile(uids[1]!);
    expect(await census()).toEqual({ stored: [], rows: [], intents: 0 });
  });

  test("leaves no mark where the last row went before a refused one was written", async () => {
    for (let i = 0; i < 2; i++) await uploaded();
    fault = (_call, key) => (key.endsWith(".gone") ? refused() : null);
    await deleteFile(uids[0]!);
    fault = null;
    await deleteFile(uids[1]!);
    expect(await recovery.run()).toBe(0);
    expect(await census()).toEqual({ stored: [], rows: [], intents: 0 });
  });

  test("leaves no mark behind where a refusal was passing", async () => {
    for (let i = 0; i < 2; i++) await uploaded();
    fault = (call, key) => (call === "delete" && key.endsWith(".link") ? refused() : null);
    await deleteFile(uids[1]!);
    expect(await recovery.run()).toBe(1);
    fault = null;
    expect(await recovery.run()).toBe(0);
    expect(await census()).toEqual({ stored: ["object 1"], rows: [1], intents: 0 });
  });

  test("is done for its sender while a mark can't be removed, and recovery removes it", async () => {
    for (let i = 0; i < 2; i++) await uploaded();
    fault = (_call, key) => (key.endsWith(".link") ? unavailable() : null);
    await deleteFile(uids[1]!);
    expect(await census()).toEqual({ stored: ["link 2", "object 1"], rows: [1], intents: 1 });
    expect(await recovery.run()).toBe(1);
    fault = null;
    expect(await recovery.run()).toBe(0);
    expect(await census()).toEqual({ stored: ["object 1"], rows: [1], intents: 0 });
  });

  test("by recovery never takes a row for another because of its id", async () => {
    let gone = await uploaded();
    await deleteFile(gone.id);
    let other = await repository.create(newFile(), "store");
    let place = { storage: "local", bucket: "local", key: gone.s3_key } as const;
    await journal.beginDelete({ uid: gone.uid, fileId: other.record.id, ...place });
    expect(await restart()).toBe(0);
    expect(await repository.get(other.record.uid)).not.toBeNull();
  });
});

test("a mark that storage does not take in time counts as storage that is away", async () => {
  await uploaded();
  let twin = await uploaded();
  seen.put = () => Promise.reject(new DOMException("The operation timed out.", "TimeoutError"));
  await expect(marks.link(twin)).rejects.toMatchObject({ code: "storage_unavailable" });
  await marks.gone(markedRow(twin));
});
