import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createByteBudget } from "../../src/byte-budget.ts";
import { AppError } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { createSpool } from "../../src/spool.ts";
import { linkMarkKey, quarantineKey } from "../../src/store/key-kinds.ts";
import { objectKey } from "../../src/store/keys.ts";
import { createS3Storage } from "../../src/store/s3/s3-storage.ts";
import type { Storage } from "../../src/store/storage.ts";
import { MIB } from "../../src/units.ts";
import { bytesOf, putRequest } from "../store/bodies.ts";
import { accessDenied, type S3Fake, startS3Fake } from "../support/s3-fake.ts";
import { createReconcileWorld, prefix, type ReconcileWorld } from "./world.ts";

const slowMs = 60_000;
let folder = "";
let fake: S3Fake;
let storage: Storage;
let world: ReconcileWorld;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "s3-uploads-reconcile-faults-"));
  fake = await startS3Fake();
  storage = createS3Storage({
    bucket: fake.bucket,
    prefix,
    region: fake.region,
    endpointUrl: fake.endpointUrl,
    forcePathStyle: true,
    credentials: fake.credentials,
    budget: createByteBudget(64 * MIB),
    spool: createSpool(join(folder, "spool")),
    log: silentLog,
  });
  world = createReconcileWorld(storage);
});
afterEach(async () => {
  world.close();
  await fake.stop();
  rmSync(folder, { recursive: true });
});

/** Straight into the bucket: as many as a listing in pages needs. */
function putMany(count: number, keyOf: (i: number) => string): string[] {
  let keys = Array.from({ length: count }, (_, i) => keyOf(i));
  for (let key of keys) {
    fake.objects.set(key, {
      bytes: bytesOf(10),
      contentType: "x/y",
      metadata: {},
      etag: "",
      lastModifiedMs: 1,
    });
  }
  return keys;
}

function newKey(): string {
  return objectKey({ prefix, uid: Bun.randomUUIDv7(), extension: "bin", createdAtMs: Date.now() });
}

async function addRows(keys: string[]): Promise<void> {
  // At once: their commits then share their syncs.
  await Promise.all(
    keys.map((s3_key) => world.file({ s3_key, uid: uidOf(s3_key), size_bytes: 10 }, { object: false })),
  );
}

function uidOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1, key.lastIndexOf("."));
}

test(
  "compares several pages, also where one of them has no object or no row",
  async () => {
    let keys = putMany(2_100, newKey);
    await addRows(keys.filter((_, i) => i !== 999 && i !== 1_000 && i !== 2_099));
    for (let i of [0, 998, 1_001, 2_000]) fake.objects.delete(keys[i]!);
    let { told, totals } = await world.report();
    let found = (kind: string) =>
      told
        .filter(({ finding }) => finding.kind === kind)
        .map(({ finding }) => keys.indexOf(finding.key))
        .toSorted((a, b) => a - b);
    expect(found("missing_object")).toEqual([0, 998, 1_001, 2_000]);
    expect(found("orphan_object")).toEqual([999, 1_000, 2_099]);
    expect(totals).toMatchObject({ rows: 2_097, objects: 2_096 });
  },
  slowMs,
);

test(
  "many rows of one object are one question to storage",
  async () => {
    let first = await world.file();
    let uids = Array.from({ length: 1_100 }, () => Bun.randomUUIDv7());
    await Promise.all(uids.map((uid) => world.file({ uid, s3_key: first.s3_key }, { object: false })));
    putMany(uids.length, (i) => linkMarkKey(prefix, uids[i]!));
    fake.calls.length = 0;
    expect(await world.report({ deep: true })).toMatchObject({ kinds: [], totals: { rows: 1_101 } });
    expect(fake.calls.filter(({ operation }) => operation === "GetObject")).toHaveLength(1);
    expect(fake.calls.length).toBeLessThan(10);
  },
  slowMs,
);

describe("could not look is never missing", () => {
  test("an object that storage gives no answer about is counted apart", async () => {
    let lost = await world.file({}, { object: false });
    fake.script.fail("HeadObject", accessDenied);
    let report = await world.report();
    expect(report).toMatchObject({ kinds: [], notLooked: [lost.s3_key], totals: { notLooked: 1 } });
    fake.script.fail("HeadObject", accessDenied, { times: 2 });
    expect((await world.repair()).kinds).toEqual([]);
    expect(await world.repository.get(lost.uid)).not.toBeNull();
  });

  test("an object that can't be read is counted apart", async () => {
    let file = await world.file();
    fake.script.fail("GetObject", accessDenied);
    expect(await world.report({ deep: true })).toMatchObject({ kinds: [], notLooked: [file.s3_key] });
  });

  test("a place that gives no answer twenty times is not asked any more", async () => {
    for (let i = 0; i < 60; i++) await world.file({ bucket: "gone", s3_key: `old/${i}` }, { object: false });
    fake.script.fail("HeadObject", accessDenied, { times: 1_000 });
    fake.calls.length = 0;
    expect((await world.report()).totals.notLooked).toBe(60);
    expect(fake.calls.filter(({ operation }) => operation === "HeadObject").length).toBeLessThan(40);
  });

  test(
    "nothing is repaired when storage can't be listed to its end, whatever is forced",
    async () => {
      let keys = putMany(1_200, newKey);
      let lost = await world.file({ s3_key: "elsewhere/a.bin" }, { object: false });
      fake.script.fail("ListObjectsV2", accessDenied, { skip: 1 });
      let repair = await world.repair({ force: true });
      expect(repair.totals.listed).toBe(true);
      fake.script.heal();
      expect(fake.objects.size).toBe(1_200);
      expect(keys.every((key) => fake.objects.has(key))).toBe(true);
      expect(await world.repository.get(lost.uid)).not.toBeNull();
      expect(repair.actions.every((action) => action.endsWith(" held_back"))).toBe(true);
    },
    slowMs,
  );
});

test("a bucket that does not tell unfinished uploads is told once, and the rest goes on", async () => {
  await world.file({}, { row: false });
  fake.script.fail("ListMultipartUploads", accessDenied);
  let { kinds, totals } = await world.report();
  expect(kinds).toEqual(["orphan_object"]);
  expect([...totals.notes].join()).toContain("allow s3:ListBucketMultipartUploads");
  expect(totals.notLooked).toBe(0);
});

test("an unfinished upload whose intent is open is somebody's work", async () => {
  let key = newKey();
  let upload = { key, uploadId: "u1", initiatedAtMs: 1, wantsCrc32: false, parts: new Map() };
  fake.unfinished.set("u1", { ...upload, contentType: "x/y", metadata: {} });
  let place = { storage: "s3" as const, bucket: fake.bucket, key };
  await world.journal.beginUpload({ uid: uidOf(key), ...place });
  expect(await world.report({ aheadMs: 0, minAgeMs: 0 })).toMatchObject({
    kinds: [],
    totals: { underWay: 1 },
  });
});

describe("a repair that has suspiciously much to do", () => {
  test("leaves files without objects alone until it is forced", async () => {
    for (let i = 0; i < 11; i++) await world.file({}, { object: false });
    let orphan = await world.file({}, { row: false });
    let held = await world.repair();
    expect(new Set(held.actions)).toEqual(new Set(["missing_object held_back", "orphan_object quarantined"]));
    expect(held.warnings.join()).toContain("11 of 11 files have no object");
    expect(fake.objects.has(quarantineKey(prefix, orphan.s3_key))).toBe(true);
    let forced = await world.repair({ force: true });
    expect(new Set(forced.actions)).toEqual(new Set(["missing_object row_removed"]));
    expect(world.removedRows()).toHaveLength(11);
  });

  test("leaves even a few files alone, and writes nothing, where storage holds nothing at all", async () => {
    let lost = await world.file({}, { object: false });
    await world.file({ s3_key: lost.s3_key }, { object: false });
    let held = await world.repair();
    expect(held.actions).toEqual([
      "missing_mark held_back",
      "missing_object held_back",
      "missing_object held_back",
    ]);
    expect(held.warnings).toEqual([
      expect.stringMatching(/^2 of 2 files have no object\. .* or a disk that is not mounted/),
    ]);
    expect(await world.keys()).toEqual([]);
    await world.file();
    expect((await world.repair()).actions.filter((action) => action.startsWith("missing_object"))).toEqual([
      "missing_object row_removed",
      "missing_object row_removed",
    ]);
  });

  test("leaves objects without files alone, with their marks, until it is forced", async () => {
    let keys = putMany(11, newKey);
    putMany(1, () => linkMarkKey(prefix, Bun.randomUUIDv7()));
    let held = await world.repair();
    expect(new Set(held.actions)).toEqual(new Set(["orphan_object held_back", "stale_mark held_back"]));
    expect(held.warnings).toHaveLength(1);
    expect(held.warnings.join()).toMatch(/11 of 11 objects belong to no file.*import/);
    expect(fake.objects.has(keys[0]!)).toBe(true);
    expect((await world.report()).warnings).toEqual(held.warnings);
    await world.repair({ force: true });
    expect(await world.keys()).toHaveLength(12);
    expect((await world.repair()).kinds).toEqual([]);
  });

  test("does not hesitate for a tenth of many", async () => {
    let keys = putMany(200, newKey);
    await addRows(keys.slice(15));
    expect((await world.repair()).actions).toEqual(keys.slice(0, 15).map(() => "orphan_object quarantined"));
  });
});

describe("a repair that fails half way", () => {
  test("says what could not be done, and a later one does it", async () => {
    let orphan = await world.file({}, { row: false });
    fake.script.fail("CopyObject", accessDenied);
    let failed = await world.repair();
    expect(failed.actions).toEqual(["orphan_object failed"]);
    expect(failed.told[0]?.outcome.message).toContain("allow s3:GetObject and s3:PutObject");
    expect(fake.objects.has(orphan.s3_key)).toBe(true);
    expect((await world.repair()).actions).toEqual(["orphan_object quarantined"]);
  });

  test("has the row in both places or in one of them, never in none", async () => {
    let lost = await world.file({}, { object: false });
    let finishDelete = world.repository.finishDelete;
    world.repository.finishDelete = () => Promise.reject(new AppError("disk_full"));
    expect((await world.repair()).actions).toEqual(["missing_object failed"]);
    expect(world.removedRows().map(({ uid }) => uid)).toEqual([lost.uid]);
    expect(await world.repository.get(lost.uid)).not.toBeNull();
    world.repository.finishDelete = finishDelete;
    expect((await world.repair()).actions).toEqual(["missing_object row_removed"]);
    expect((await world.repair()).kinds).toEqual([]);
  });
});

describe("a move in the bucket", () => {
  test("whose answer was lost is done all the same", async () => {
    let from = newKey();
    await storage.put(putRequest(from, bytesOf(10)));
    fake.script.fail("CopyObject", { kind: "lostAnswer" });
    fake.script.fail("DeleteObject", { kind: "lostAnswer" });
    await storage.move(from, "to");
    expect([...fake.objects.keys()]).toEqual(["to"]);
  });

  test("that is refused removes nothing", async () => {
    let from = newKey();
    await storage.put(putRequest(from, bytesOf(10)));
    fake.script.fail("CopyObject", { kind: "status", status: 400, code: "InvalidRequest" });
    await expect(storage.move(from, "to")).rejects.toMatchObject({ code: "storage_error" });
    expect([...fake.objects.keys()]).toEqual([from]);
  });
});
