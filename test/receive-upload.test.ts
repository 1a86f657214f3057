import type { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createAdmission } from "../src/admission.ts";
import { createAllowances } from "../src/allowance.ts";
import { createByteBudget } from "../src/byte-budget.ts";
import { systemClock } from "../src/clock.ts";
import { createCommitSync } from "../src/commit-sync.ts";
import { createDeleteFile } from "../src/delete-file.ts";
import type { IncomingFile } from "../src/domain.ts";
import { AppError } from "../src/errors.ts";
import { randomIds } from "../src/ids.ts";
import { createPolicy } from "../src/inspect/policy.ts";
import { silentLog } from "../src/log.ts";
import { createMarks } from "../src/marks.ts";
import { createReceiveUpload, type UploadContext } from "../src/receive-upload.ts";
import { createRecordUpload } from "../src/record-upload.ts";
import type { FileRepository } from "../src/record/file-repository.ts";
import { createSqliteRepository } from "../src/record/sqlite-repository.ts";
import { createRecovery } from "../src/recover.ts";
import { openStateDatabase } from "../src/state/database.ts";
import { createIdempotency } from "../src/state/idempotency.ts";
import { createJournal, type SqliteJournal } from "../src/state/sqlite-journal.ts";
import { createTokens } from "../src/state/tokens.ts";
import { createUsageTable } from "../src/state/usage.ts";
import { createLocalStorage } from "../src/store/local.ts";
import type { Storage } from "../src/store/storage.ts";
import { MIB } from "../src/units.ts";
import { bytesOf, inChunks } from "./store/bodies.ts";

let folder: string;
let state: Database;
let journal: SqliteJournal;
let repository: FileRepository;
let storage: Storage;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "s3-uploads-receive-"));
  state = openStateDatabase(join(folder, "state.db"));
  journal = createJournal(state, createCommitSync(state), systemClock);
  repository = createSqliteRepository({ path: join(folder, "uploads.db"), tableName: "t", log: silentLog });
  storage = createLocalStorage({ directory: join(folder, "objects") });
  await storage.probe();
});
afterEach(() => {
  repository.close();
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The real thing, but for what a test breaks. */
function createReceive(duplicates: "store" | "link" | "reject" = "store") {
  let storageFor = () => storage;
  let marks = createMarks({ storageFor, s3Prefix: "uploads/", log: silentLog });
  let recovery = createRecovery({ journal, repository, storageFor, marks, log: silentLog, lateMs: 0 });
  let maxFileBytes = MIB;
  return createReceiveUpload({
    storage,
    repository,
    recordUpload: createRecordUpload({
      repository,
      journal,
      recovery,
      options: { duplicates, keepPosition: true },
    }),
    journal,
    recovery,
    idempotency: createIdempotency(state, createCommitSync(state), systemClock),
    deleteFile: createDeleteFile({ repository, journal, recovery, storageFor, marks }),
    policy: createPolicy({
      maxFileBytes,
      allowedMimeTypes: [],
      allowedExtensions: [],
      blockedExtensions: ["exe"],
      typeMismatch: "record",
    }),
    admission: createAdmission(createByteBudget(64 * MIB), MIB),
    clock: systemClock,
    ids: randomIds,
    options: { s3Prefix: "uploads/", maxFileBytes },
  });
}

function context(other: Partial<UploadContext> = {}): UploadContext {
  return { signal: new AbortController().signal, idempotencyKey: null, log: silentLog, ...other };
}

async function* filesOf(...files: [name: string, bytes: Uint8Array][]): AsyncGenerator<IncomingFile> {
  for (let [filename, bytes] of files) {
    yield { filename, declaredType: null, declaredBytes: null, mostBytes: null, body: inChunks(bytes) };
  }
}

/** What is in catalog, storage and journal. */
async function census() {
  return {
    rows: (await repository.list({})).rows.map(({ filename }) => filename),
    objects: (await Array.fromAsync(storage.list("uploads/"))).length,
    intents: journal.open().length,
  };
}

const three: [string, Uint8Array][] = [
  ["a.bin", bytesOf(1000)],
  ["b.bin", bytesOf(300_000)],
  ["c.bin", bytesOf(0)],
];

test("every file of a request gets its object and its row", async () => {
  let outcomes = await createReceive()(filesOf(...three), context());
  expect(outcomes.map(({ success }) => success)).toEqual([true, true, true]);
  expect(await census()).toEqual({ rows: ["c.bin", "b.bin", "a.bin"], objects: 3, intents: 0 });
});

test("a refused file does not touch its neighbours", async () => {
  let outcomes = await createReceive()(filesOf(three[0]!, ["x.exe", bytesOf(5)], three[1]!), context());
  expect(outcomes.map(({ success }) => success)).toEqual([true, false, true]);
  expect(await census()).toEqual({ rows: ["b.bin", "a.bin"], objects: 2, intents: 0 });
});

/** Lets the catalog fail from the nth row of a request on. */
function failAtRow(nth: number, error: AppError): void {
  let { create } = repository;
  let made = 0;
  repository.create = (...args) => (++made >= nth ? Promise.reject(error) : create(...args));
}

test("a request whose last row can't be written leaves nothing", async () => {
  failAtRow(3, new AppError("disk_full"));
  await expect(createReceive()(filesOf(...three), context())).rejects.toMatchObject({ code: "disk_full" });
  expect(await census()).toEqual({ rows: [], objects: 0, intents: 0 });
});

test("what can't be taken back keeps nothing else, nor hides why the request failed", async () => {
  failAtRow(3, new AppError("disk_full"));
  let receive = createReceive();
  let { beginDelete } = repository;
  let asked = 0;
  repository.beginDelete = (...args) =>
    ++asked === 1 ? Promise.reject(new AppError("server_busy")) : beginDelete(...args);
  await expect(receive(filesOf(...three), context())).rejects.toMatchObject({ code: "disk_full" });
  expect(await census()).toEqual({ rows: ["a.bin"], objects: 1, intents: 0 });
});

test("a sender that goes away behind its last file leaves nothing", async () => {
  let gone = new AbortController();
  async function* files(): AsyncGenerator<IncomingFile> {
    yield* filesOf(...three);
    gone.abort();
  }
  let upload = createReceive()(files(), context({ signal: gone.signal }));
  await expect(upload).rejects.toMatchObject({ code: "bad_request" });
  expect(await census()).toEqual({ rows: [], objects: 0, intents: 0 });
});

test("a retry with the same Idempotency-Key gets the first answer, another file a refusal", async () => {
  let receive = createReceive();
  let again = context({ idempotencyKey: "key" });
  let [first] = await receive(filesOf(three[0]!), again);
  let [second] = await receive(filesOf(three[0]!), again);
  expect([second?.success && second.record.id]).toEqual([first?.success && first.record.id]);
  await expect(receive(filesOf(["other.bin", bytesOf(3)]), again)).rejects.toMatchObject({
    code: "invalid_parameter",
  });
  async function* longer(): AsyncGenerator<IncomingFile> {
    for await (let file of filesOf(["a.bin", bytesOf(1001)])) yield { ...file, declaredBytes: 1001 };
  }
  await expect(receive(longer(), again)).rejects.toMatchObject({ code: "invalid_parameter" });
  expect((await census()).rows).toEqual(["a.bin"]);
});

test("a retry hears of the duplicate that the first answer told of", async () => {
  let receive = createReceive();
  await receive(filesOf(three[0]!), context());
  let again = context({ idempotencyKey: "key" });
  let first = await receive(filesOf(three[0]!), again);
  expect(first).toMatchObject([{ success: true, record: { id: 2 }, duplicateOf: 1 }]);
  expect(await receive(filesOf(three[0]!), again)).toEqual(first);
});

test("other bytes by the same name are not taken for a retry, and nothing is told of the first file", async () => {
  let receive = createReceive();
  let again = context({ idempotencyKey: "key" });
  await receive(filesOf(three[0]!), again);
  for (let other of [bytesOf(1000).fill(7), bytesOf(1001), bytesOf(0)]) {
    let refusal = await receive(filesOf(["a.bin", other]), again).catch((error: AppError) => error);
    expect(refusal).toMatchObject({
      code: "invalid_parameter",
      message: "This Idempotency-Key was used for another file.",
    });
  }
  let named = await receive(filesOf(["b.bin", bytesOf(1)]), again).catch((error: AppError) => error);
  expect(JSON.stringify(named)).not.toContain("a.bin");
});

test("files of a sender with a folder lie below it, each with an object of its own", async () => {
  for (let duplicates of ["link", "reject"] as const) {
    let receive = createReceive(duplicates);
    await receive(filesOf(["shared.bin", bytesOf(5000)]), context()).catch(() => {});
    let [outcome] = await receive(filesOf(["mine.bin", bytesOf(5000)]), context({ folder: "acme/" }));
    expect(outcome?.success && outcome.record.s3_key).toMatch(
      /^uploads\/folders\/acme\/\d{4}\/\d{2}\/[0-9a-f-]+\.bin$/,
    );
  }
});

function counted(maxBytes: number) {
  let tokens = createTokens(state, systemClock);
  let { id } = tokens.create({ name: "counted", scopes: ["upload"], maxBytes });
  let allowance = createAllowances(createUsageTable(state, createCommitSync(state))).of({
    type: "token",
    id,
  });
  return {
    context: context({ allowance }),
    used: () => tokens.list().find((token) => token.id === id)?.usedBytes,
  };
}

describe("files that are counted", () => {
  test("are taken as far as there is room; the one that does not fit leaves nothing", async () => {
    let sender = counted(301_500);
    let outcomes = await createReceive()(filesOf(...three, ["d.bin", bytesOf(501)]), sender.context);
    expect(outcomes.map((outcome) => outcome.success || outcome.error.code)).toEqual([
      true,
      true,
      true,
      "quota_exceeded",
    ]);
    expect(await census()).toMatchObject({ rows: ["c.bin", "b.bin", "a.bin"], objects: 3, intents: 0 });
    expect(sender.used()).toBe(301_000);
  });

  test("of a request that fails are not counted", async () => {
    let sender = counted(MIB);
    failAtRow(3, new AppError("disk_full"));
    await expect(createReceive()(filesOf(...three), sender.context)).rejects.toMatchObject({
      code: "disk_full",
    });
    expect(await census()).toEqual({ rows: [], objects: 0, intents: 0 });
    expect(sender.used()).toBe(0);
  });

  test("are counted once when a request is sent again with its Idempotency-Key", async () => {
    let sender = counted(1000);
    let receive = createReceive();
    for (let nth = 0; nth < 2; nth++) {
      let [outcome] = await receive(filesOf(three[0]!), { ...sender.context, idempotencyKey: "key" });
      expect(outcome?.success).toBe(true);
    }
    expect(sender.used()).toBe(1000);
  });

  test("and refused for what they are leave their room to others", async () => {
    let sender = counted(1000);
    let outcomes = await createReceive()(filesOf(["x.exe", bytesOf(900)], three[0]!), sender.context);
    expect(outcomes.map(({ success }) => success)).toEqual([false, true]);
  });
});
