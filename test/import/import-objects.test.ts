import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppError } from "../../src/errors.ts";
import { startImport } from "../../src/import/import-objects.ts";
import type { ImportReport } from "../../src/import/report.ts";
import { silentLog } from "../../src/log.ts";
import { createMarks } from "../../src/marks.ts";
import type { FileRepository } from "../../src/record/file-repository.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";
import { linkMarkKey, ownUid, quarantineKey, uidInKey } from "../../src/store/key-kinds.ts";
import { userMetadataOf } from "../../src/store/keys.ts";
import { createLocalStorage } from "../../src/store/local.ts";
import type { ObjectInfo, Storage } from "../../src/store/storage.ts";
import { KIB } from "../../src/units.ts";
import { newFile } from "../record/new-file.ts";
import { bytesOf, putRequest } from "../store/bodies.ts";
import { ascii, exifSegment, jpeg, rationals, tiff } from "../support/images.ts";
import { putOwn } from "./world.ts";

const text = (words: string) => new TextEncoder().encode(words);

let folder = "";
let storage: Storage;
let repository: FileRepository;
let interrupt: AbortController;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "s3-uploads-import-"));
  storage = createLocalStorage({ directory: join(folder, "objects") });
  await storage.probe();
  interrupt = new AbortController();
  repository = createSqliteRepository({ path: join(folder, "uploads.db"), tableName: "t", log: silentLog });
});
afterEach(() => {
  repository.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Given {
  storage?: Partial<Storage>;
  prefix?: string;
  openKeys?: string[];
  keepPosition?: boolean;
}

async function run({ storage: other, prefix = "uploads/", openKeys = [], keepPosition = true }: Given = {}) {
  let started = startImport({
    storage: { ...storage, ...other },
    repository,
    openKeys: new Set(openKeys),
    options: { prefix, s3Prefix: "uploads/", keepPosition },
    signal: interrupt.signal,
  });
  await started.done;
  return started.report;
}

async function put(
  key: string,
  bytes: Uint8Array,
  userMetadata: Record<string, string> = {},
): Promise<string> {
  await storage.put(putRequest(key, bytes, { userMetadata }));
  return key;
}

/** As somebody else does who copies files into the folder: many at once. */
function drop(count: number): Promise<unknown> {
  let files = Array.from({ length: count }, (_, at) => `uploads/${1000 + at}.txt`);
  return Promise.all(files.map((key) => Bun.write(join(folder, "objects", key), key)));
}

async function names(): Promise<string[]> {
  return (await repository.list({ sort: { column: "id", descending: false } })).rows.map(
    ({ filename }) => filename,
  );
}

function adopted({ adopted: { own, foreign, linked } }: ImportReport): number[] {
  return [own, foreign, linked];
}

/** Fails calls that name one of these keys. */
function failing(keys: string[], error: () => Error): Partial<Storage> {
  let check = (key: string) => {
    if (keys.includes(key)) throw error();
  };
  return {
    head: async (key) => (check(key), storage.head(key)),
    open: async (key, range, signal) => (check(key), storage.open(key, range, signal)),
  };
}

const away = () => new AppError("storage_unavailable", "no answer");

describe("an import", () => {
  test("gives ids in the order of the keys, however long each object takes", async () => {
    let delays = new Map<string, number>();
    for (let at = 0; at < 40; at++)
      delays.set(await put(`uploads/${10 + at}.txt`, text(`${at}`)), (at * 7) % 5);
    let open: Storage["open"] = async (key, range, signal) => {
      await Bun.sleep(delays.get(key) ?? 0);
      return storage.open(key, range, signal);
    };
    expect(adopted(await run({ storage: { open } }))).toEqual([0, 40, 0]);
    expect(await names()).toEqual(Array.from({ length: 40 }, (_, at) => `${10 + at}.txt`));
  });

  test("takes from an object that somebody else has stored nothing but its name, bytes and time", async () => {
    let key = "uploads/2026/05/a b.txt";
    let facts = { uid: Bun.randomUUIDv7(), filename: "x.exe", createdAt: "2020-01-01T00:00:00.000Z" };
    await put(key, text("hello"), { ...userMetadataOf(facts), sha256: "ab".repeat(32) });
    await run();
    let row = await repository.get(ownUid({ storage: "local", bucket: "local", key }));
    expect(row).toMatchObject({
      filename: "a b.txt",
      s3_key: key,
      content_type: "text/plain",
      checksum_sha256: new Bun.CryptoHasher("sha256").update("hello").digest("hex"),
      created_at: new Date((await storage.head(key))!.lastModifiedMs).toISOString(),
      metadata: {},
    });
  });

  test("takes an object of ours whose metadata was lost by its key", async () => {
    let uid = Bun.randomUUIDv7();
    await put(`uploads/2026/05/${uid}.txt`, text("hello"));
    await put("uploads/\u200b", text("nothing to be seen in the name"));
    expect(adopted(await run())).toEqual([0, 2, 0]);
    expect((await repository.get(uid))?.filename).toBe(`${uid}.txt`);
    expect(await names()).toEqual([`${uid}.txt`, "unnamed"]);
  });

  test("leaves alone what is to have no row, and says why", async () => {
    let open = await putOwn(storage, text("open"), "open.txt");
    let uid = Bun.randomUUIDv7();
    await put(quarantineKey("uploads/", `uploads/2026/05/${uid}.txt`), text("aside"));
    await put("old/quarantine/2026/05/" + uid + ".txt", text("aside"));
    await put("uploads/quarantine/x.txt", text("aside"));
    await put(`uploads/s3-uploads-check/${uid}`, text("probe"));
    await put("uploads/empty.txt", text(""));
    let folderKey: ObjectInfo = { key: "uploads/folder/", sizeBytes: 0, lastModifiedMs: 0 };
    let withFolder: Storage["list"] = async function* (prefix, options) {
      yield folderKey;
      yield* storage.list(prefix, options);
    };
    let report = await run({ storage: { list: withFolder }, prefix: "", openKeys: [open] });
    expect(adopted(report)).toEqual([0, 0, 0]);
    expect(report.skipped).toMatchObject({ open: 1, quarantined: 3, probe: 1, empty: 1, folder: 1 });
    expect([report.problems, report.brokenOff]).toEqual([[], null]);
  });

  test("leaves a mark alone that a repair has set aside: its file was deleted", async () => {
    let key = await putOwn(storage, text("shared"), "a.txt");
    let deleted = { ...newFile({ s3_key: key, storage: "local", bucket: "local" }), id: 2 };
    let marks = createMarks({ storageFor: () => storage, s3Prefix: "uploads/", log: silentLog });
    await marks.link(deleted);
    let mark = linkMarkKey("uploads/", deleted.uid);
    await storage.move(mark, quarantineKey("uploads/", mark));
    let report = await run();
    expect(adopted(report)).toEqual([1, 0, 0]);
    expect([report.skipped.quarantined, report.problems]).toEqual([1, []]);
    expect(await repository.get(deleted.uid)).toBeNull();
  });

  test("adds a copy of an upload once", async () => {
    let key = await putOwn(storage, text("original"), "a.txt");
    let { userMetadata } = (await storage.head(key))!;
    await put(key.replace("uploads/", "zz-backup/"), text("original"), userMetadata);
    let report = await run({ prefix: "" });
    expect([adopted(report), report.skipped.copy]).toEqual([[1, 0, 0], 1]);
    expect((await repository.get(uidInKey(key)!))?.s3_key).toBe(key);
  });

  test("respects that positions are dropped", async () => {
    let degrees: [number, number][] = [
      [51, 1],
      [30, 1],
      [0, 1],
    ];
    let gps = [ascii(1, "N"), rationals(2, ...degrees), ascii(3, "E"), rationals(4, ...degrees)];
    let photo = jpeg(8, 8, exifSegment(tiff({ main: [ascii(0x10f, "Acme")], gps })));
    for (let keepPosition of [false, true]) {
      await put(`uploads/${keepPosition}.jpg`, photo);
      await run({ keepPosition });
    }
    let [kept, dropped] = (await repository.list({})).rows;
    expect([kept?.latitude, kept?.longitude]).toEqual([51.5, 51.5]);
    expect([dropped?.latitude, dropped?.longitude, dropped?.metadata["gps"]]).toEqual([
      null,
      null,
      undefined,
    ]);
    expect(dropped?.metadata["make"]).toBe("Acme");
  });

  test("inspects a large object of ours in ranges, and one without a digest as a whole", async () => {
    let reads: string[] = [];
    let open: Storage["open"] = (key, range, signal) => {
      reads.push(range ? `${range.first}-${range.last}` : "whole");
      return storage.open(key, range, signal);
    };
    let bytes = bytesOf(700 * KIB);
    await putOwn(storage, bytes, "a.bin");
    await run({ storage: { open } });
    expect(reads).toEqual([`0-${256 * KIB - 1}`]);
    reads = [];
    await putOwn(storage, bytes, "b.bin");
    let head: Storage["head"] = async (key) => {
      let info = (await storage.head(key))!;
      let userMetadata = { ...info.userMetadata };
      delete userMetadata["sha256"];
      return { ...info, userMetadata };
    };
    await run({ storage: { open, head } });
    expect(reads).toEqual(["whole"]);
    let digests = (await repository.list({})).rows.map((row) => row.checksum_sha256);
    expect(new Set(digests).size).toBe(1);
  });

  test("says that an object of ours has other bytes than were uploaded", async () => {
    let uid = Bun.randomUUIDv7();
    let key = `uploads/2026/05/${uid}.txt`;
    await put(
      key,
      text("as it was"),
      userMetadataOf({ uid, filename: "a", createdAt: "2026-05-01T00:00:00.000Z" }),
    );
    await Bun.write(join(folder, "objects", key), "changed!!");
    let report = await run();
    expect(report.problems).toMatchObject([{ key, what: "damaged" }]);
    expect((await repository.get(uid))?.checksum_sha256).toBe(
      new Bun.CryptoHasher("sha256").update("as it was").digest("hex"),
    );
  });
});

describe("an import whose storage fails", () => {
  test("tells what is not there any more from what it could not look at, and takes the rest", async () => {
    let vanished = await put("uploads/1.txt", text("1"));
    let unreachable = await put("uploads/2.txt", text("2"));
    let denied = await put("uploads/3.txt", text("3"));
    let garbled = await put("uploads/4\uFFFD.txt", text("4"));
    await put("uploads/5.txt", text("5"));
    let errors: Record<string, () => Error> = {
      [vanished]: () => new AppError("gone"),
      [garbled]: () => new AppError("gone"),
      [unreachable]: away,
      [denied]: () => new AppError("storage_error", "denied"),
    };
    let open: Storage["open"] = async (key, range, signal) => {
      if (errors[key]) throw errors[key]();
      return storage.open(key, range, signal);
    };
    let report = await run({ storage: { open } });
    expect(report.problems.map(({ key, what }) => [key, what])).toEqual([
      [vanished, "vanished"],
      [unreachable, "unreachable"],
      [denied, "refused"],
      [garbled, "refused"],
    ]);
    expect([await names(), report.brokenOff]).toEqual([["5.txt"], null]);
  });

  test("tries again when a body breaks off", async () => {
    await put("uploads/a.txt", text("whole"));
    let tries = 0;
    let open: Storage["open"] = async (key, range, signal) => {
      let opened = await storage.open(key, range, signal);
      if (++tries > 2) return opened;
      await opened.body.cancel();
      let body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(new TypeError("reset")),
      });
      return { ...opened, body };
    };
    expect(adopted(await run({ storage: { open } }))).toEqual([0, 1, 0]);
    expect(tries).toBe(3);
  });

  test("gives up when nothing can be reached, and keeps what it has", async () => {
    await drop(60);
    // oxlint-disable-next-line consistent-function-scoping -- beside what it breaks
    let open: Storage["open"] = async (key, range, signal) => {
      if (key >= "uploads/1010") throw away();
      return storage.open(key, range, signal);
    };
    let report = await run({ storage: { open } });
    expect(report.brokenOff).toContain("no answer");
    expect([adopted(report), report.problemCounts.unreachable]).toEqual([[0, 10, 0], 20]);
    expect((await run()).recordedAlready).toBe(10);
    expect((await names()).length).toBe(60);
  });

  test("keeps what it has when the listing breaks off", async () => {
    await drop(1_500);
    // oxlint-disable-next-line consistent-function-scoping -- beside what it breaks
    let list: Storage["list"] = async function* (prefix, options) {
      let listed = 0;
      for await (let info of storage.list(prefix, options)) {
        if (++listed > 1_200) throw away();
        yield info;
      }
    };
    let report = await run({ storage: { list } });
    expect(report.brokenOff).toBe("no answer");
    expect(adopted(report)).toEqual([0, 1_000, 0]);
    expect(adopted(await run())).toEqual([0, 500, 0]);
  });

  test("rejects when the catalog fails", async () => {
    await put("uploads/a.txt", text("a"));
    repository.adopt = () => Promise.reject(new AppError("disk_full"));
    await expect(run()).rejects.toMatchObject({ code: "disk_full" });
  });

  test("ends where it is when it is interrupted", async () => {
    await drop(50);
    // oxlint-disable-next-line consistent-function-scoping -- beside what it breaks
    let open: Storage["open"] = async (key, range, signal) => {
      if (key.includes("/1020")) interrupt.abort(new AppError("server_busy", "SIGINT"));
      return storage.open(key, range, signal);
    };
    let report = await run({ storage: { open } });
    expect(report.brokenOff).toBe("It was interrupted.");
    expect((await names()).length).toBeLessThan(21);
    expect(report.problems).toEqual([]);
  });
});

/** An object of ours with marks of two rows that share it. */
async function shared(prefix = "uploads/") {
  let key = await putOwn(storage, text("shared"), "owner.txt", prefix);
  let marks = createMarks({ storageFor: () => storage, s3Prefix: "uploads/", log: silentLog });
  let owner = { uid: uidInKey(key)!, storage: "local" as const, bucket: "local", key };
  let twins = ["one.csv", "two.md"].map((filename) => ({ ...newFile({ filename, s3_key: key }), id: 1 }));
  for (let twin of twins) await marks.link(twin);
  return { key, owner, marks, twins };
}

describe("rows that share an object", () => {
  test("come back behind the object's own row, each read in the light of its own name", async () => {
    let { key } = await shared();
    expect(adopted(await run())).toEqual([1, 0, 2]);
    let rows = (await repository.list({ sort: { column: "id", descending: false } })).rows;
    expect(rows.map((row) => [row.filename, row.content_type, row.s3_key])).toEqual([
      ["owner.txt", "text/plain", key],
      ["one.csv", "text/csv", key],
      ["two.md", "text/markdown", key],
    ]);
  });

  test("come back without the object's own row where that was deleted, also under an earlier prefix", async () => {
    for (let prefix of ["uploads/", "old/"]) {
      let { owner, marks } = await shared(prefix);
      await marks.gone(owner);
      let report = await run({ prefix });
      expect([adopted(report), report.skipped.deleted]).toEqual([[0, 0, 2], 1]);
    }
    expect(await names()).toEqual(["one.csv", "two.md", "one.csv", "two.md"]);
  });

  test("wait for the next import where the object could not be looked at", async () => {
    let { key } = await shared();
    let once = true;
    let open: Storage["open"] = async (wanted, range, signal) => {
      if (wanted === key && once) throw away();
      return storage.open(wanted, range, signal);
    };
    let marks = { ...storage, open };
    let list: Storage["list"] = (prefix, options) => {
      // The object can be reached again when its marks are looked at.
      if (prefix.endsWith("marks/") && markLists++ > 0) once = false;
      return storage.list(prefix, options);
    };
    let markLists = 0;
    let report = await run({ storage: { ...marks, list } });
    expect([adopted(report), report.problems.map(({ what }) => what)]).toEqual([
      [0, 0, 0],
      ["unreachable", "refused", "refused"],
    ]);
    expect(adopted(await run())).toEqual([1, 0, 2]);
  });

  test("are named where their object is not there, or the mark is none", async () => {
    let { key, twins } = await shared();
    await storage.delete(key);
    let fake = linkMarkKey("uploads/", Bun.randomUUIDv7());
    await put(fake, text(""));
    let report = await run();
    expect(report.problems.map(({ what }) => what).toSorted()).toEqual(["lost", "lost", "refused"]);
    expect(report.problems.find(({ what }) => what === "lost")?.reason).toContain(key);
    expect(report.problems.map((problem) => problem.key)).toContain(linkMarkKey("uploads/", twins[0]!.uid));
    expect(await names()).toEqual([]);
  });

  test("outside the prefix are left alone", async () => {
    await shared();
    await put("incoming/a.txt", text("a"));
    let report = await run({ prefix: "incoming/" });
    expect([adopted(report), report.skipped.elsewhere]).toEqual([[0, 1, 0], 2]);
  });
});

test("the same fault is told of many objects by name up to a bound", async () => {
  let keys: string[] = [];
  for (let at = 0; at < 30; at++) keys.push(await put(`uploads/${at}.txt`, text("x")));
  let report = await run({ storage: failing(keys, () => new AppError("storage_error", "denied")) });
  expect([report.problemCounts.refused, report.problems.length, report.brokenOff]).toEqual([30, 30, null]);
});
