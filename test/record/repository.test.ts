import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";

import { AppError } from "../../src/errors.ts";
import { newFile } from "./new-file.ts";
import { tempCatalogs } from "./temp-catalog.ts";

const catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

const checksum_sha256 = "ab".repeat(32);

describe("a file", () => {
  test("comes back as it was recorded, by id and by uid", async () => {
    let files = catalogs.open();
    let file = newFile({
      filename: "Größe 😀 “x”.jpg",
      storage: "s3",
      width: 4000,
      height: 3000,
      taken_at: "2024-05-01T12:34:56.78+02:00",
      latitude: -33.5,
      longitude: 0,
      size_bytes: 5 * 2 ** 40,
      metadata: { exif: { Make: "Canon", list: [1, 2.5, null, true] }, __proto__x: "y" },
    });
    let { record, duplicateOf, linked } = await files.create(file, "store");
    expect(record).toEqual({ id: 1, ...file });
    expect(Object.keys(record).toSorted()).toEqual(["id", ...Object.keys(file)].toSorted());
    expect({ duplicateOf, linked }).toEqual({ duplicateOf: null, linked: false });
    expect(await files.get(1)).toEqual(record);
    expect(await files.get("1")).toEqual(record);
    expect(await files.get(file.uid)).toEqual(record);
    expect(await files.getByChecksum(file.checksum_sha256)).toEqual(record);
  });

  test("that is not there is null", async () => {
    let files = catalogs.open();
    for (let id of [1, "1", "nobody", "", "0x1", "9".repeat(400), -1, 0.5, Number.NaN]) {
      expect(await files.get(id)).toBeNull();
    }
    expect(await files.getByChecksum(checksum_sha256)).toBeNull();
    expect(await files.countByKey("s3", "b", "k")).toBe(0);
    expect(await files.beginDelete(1)).toBeNull();
    await files.finishDelete(1);
    await files.cancelDelete(1);
  });

  test("never gets the id of another one", async () => {
    let files = catalogs.open();
    let first = await files.create(newFile(), "store");
    await files.finishDelete(first.record.id);
    expect((await files.create(newFile(), "store")).record.id).toBe(first.record.id + 1);
  });
});

describe("many rows at once", () => {
  test("are added in their order and come back as they are", async () => {
    let files = catalogs.open();
    let rows = Array.from({ length: 5 }, () => newFile());
    expect(await files.adopt(rows)).toEqual({ added: 5, skipped: [], refused: [] });
    expect(await Promise.all(rows.map(({ uid }) => files.get(uid)))).toEqual(
      rows.map((row, at) => ({ id: at + 1, ...row })),
    );
    expect((await files.list({ search: rows[3]!.filename })).rows.map(({ id }) => id)).toEqual([4]);
  });

  test("are skipped where the uid or the object is there already", async () => {
    let files = catalogs.open();
    let [first, second] = [newFile(), newFile()];
    await files.create(first, "store");
    let sameUid = newFile({ uid: first.uid });
    let sameKey = newFile({ s3_key: first.s3_key });
    let elsewhere = newFile({ s3_key: first.s3_key, bucket: "another" });
    let result = await files.adopt([sameUid, sameKey, second, second, elsewhere]);
    expect(result).toEqual({ added: 2, skipped: [0, 1, 3], refused: [] });
    expect((await files.adopt([sameKey, sameUid], { sharing: true })).skipped).toEqual([1]);
    expect(await files.countByKey(first.storage, first.bucket, first.s3_key)).toBe(2);
  });

  test("are added but for those that the table refuses", async () => {
    let files = catalogs.open();
    let [first, second] = [newFile(), newFile()];
    let bad = newFile({ taken_at: "yesterday" });
    let { added, refused } = await files.adopt([first, bad, second]);
    expect([added, refused.map(({ position }) => position)]).toEqual([2, [1]]);
    expect(refused[0]?.reason).toContain("taken_at");
  });

  test("tell which objects have rows", async () => {
    let files = catalogs.open();
    let [first, second] = [newFile(), newFile({ s3_key: 'odd "key" \n 日本\\.txt' })];
    await files.adopt([first, second]);
    await files.beginDelete(first.uid);
    let keys = [second.s3_key, "not there", first.s3_key];
    expect(await files.checksumsByKey("local", "local", keys)).toEqual(
      new Map([
        [second.s3_key, second.checksum_sha256],
        [first.s3_key, first.checksum_sha256],
      ]),
    );
    expect(await files.checksumsByKey("s3", "local", keys)).toEqual(new Map());
    expect(await files.get(first.uid)).toBeNull();
    expect((await files.get(first.uid, { alsoHidden: true }))?.uid).toBe(first.uid);
  });
});

describe("the same bytes again", () => {
  test("are stored anew and point at the oldest, under store", async () => {
    let files = catalogs.open();
    let results = [];
    for (let i = 0; i < 3; i++) results.push(await files.create(newFile({ checksum_sha256 }), "store"));
    expect(results.map((result) => result.duplicateOf)).toEqual([null, 1, 1]);
    expect(new Set(results.map((result) => result.record.s3_key)).size).toBe(3);
    expect((await files.getByChecksum(checksum_sha256))?.id).toBe(1);
  });

  test("share the older object, under link", async () => {
    let files = catalogs.open();
    let older = await files.create(newFile({ checksum_sha256, storage: "s3", bucket: "old" }), "link");
    let newer = await files.create(newFile({ checksum_sha256, filename: "again" }), "link");
    expect(older.linked).toBe(false);
    expect(newer).toMatchObject({ linked: true, duplicateOf: older.record.id });
    let { storage, bucket, s3_key } = older.record;
    expect(newer.record).toMatchObject({ storage, bucket, s3_key, filename: "again" });
    expect(await files.countByKey(storage, bucket, s3_key)).toBe(2);
  });

  test("are refused with the older id, under reject", async () => {
    let files = catalogs.open();
    await files.create(newFile({ checksum_sha256 }), "reject");
    let error = await files
      .create(newFile({ checksum_sha256, filename: "b.txt" }), "reject")
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "duplicate", details: { duplicate_of: 1, filename: "b.txt" } });
    expect((await files.list({})).rows).toHaveLength(1);
  });

  test("at the same time give one first and many followers", async () => {
    let sameFiles = Array.from({ length: 20 }, () => newFile({ checksum_sha256 }));
    let linking = catalogs.open();
    let links = await Promise.all(sameFiles.map((file) => linking.create(file, "link")));
    expect(links.filter((result) => !result.linked)).toHaveLength(1);
    expect(new Set(links.map((result) => result.record.s3_key)).size).toBe(1);

    let rejecting = catalogs.open();
    let rejects = await Promise.allSettled(sameFiles.map((file) => rejecting.create(file, "reject")));
    expect(rejects.filter((result) => result.status === "fulfilled")).toHaveLength(1);
  });
});

describe("a deletion", () => {
  test("hides the row at once from everything, and removes it when it is finished", async () => {
    let files = catalogs.open();
    let { record } = await files.create(newFile({ filename: "needle.txt", checksum_sha256 }), "store");
    await files.create(newFile({ filename: "other.txt" }), "store");
    expect(await files.beginDelete(record.uid)).toEqual({ record, removeObject: true });
    expect(await files.get(record.id)).toBeNull();
    expect(await files.get(record.uid)).toBeNull();
    expect(await files.getByChecksum(checksum_sha256)).toBeNull();
    expect(await files.beginDelete(record.id)).toBeNull();
    let queries = [{}, { search: "needle" }, { search: "ne" }, { kind: "other" as const }];
    for (let query of queries) {
      let ids = (await files.list(query)).rows.map((row) => row.id);
      expect(ids).not.toContain(record.id);
    }
    for await (let row of files.iterate({})) expect(row.id).not.toBe(record.id);
    expect((await files.create(newFile({ checksum_sha256 }), "link")).linked).toBe(false);
    await files.finishDelete(record.id);
    expect((await files.list({ search: "needle" })).rows).toEqual([]);
  });

  test("that failed shows the row again", async () => {
    let files = catalogs.open();
    let { record } = await files.create(newFile(), "store");
    await files.beginDelete(record.id);
    await files.cancelDelete(record.id);
    expect(await files.get(record.id)).toEqual(record);
    expect(await files.beginDelete(record.id)).toMatchObject({ removeObject: true });
  });

  test("takes the object along only with its last row", async () => {
    let files = catalogs.open();
    for (let i = 0; i < 3; i++) await files.create(newFile({ checksum_sha256 }), "link");
    expect(await files.beginDelete(1)).toMatchObject({ removeObject: false });
    await files.finishDelete(1);
    // Two at once: the later one has it.
    expect(await files.beginDelete(2)).toMatchObject({ removeObject: false });
    expect(await files.beginDelete(3)).toMatchObject({ removeObject: true });
    await files.finishDelete(2);
    await files.finishDelete(3);
    expect((await files.list({})).rows).toEqual([]);
  });

  test("leaves the object to a row that was linked before it began", async () => {
    let files = catalogs.open();
    await files.create(newFile({ checksum_sha256 }), "link");
    await files.create(newFile({ checksum_sha256 }), "link");
    expect(await files.beginDelete(1)).toMatchObject({ removeObject: false });
    // A new row takes the object of the row that stays, not of the one that goes.
    expect((await files.create(newFile({ checksum_sha256 }), "link")).duplicateOf).toBe(2);
  });
});

test("a uid that is there already is our own fault, not a second row", async () => {
  let files = catalogs.open();
  let file = newFile();
  await files.create(file, "store");
  let error = await files.create(file, "store").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "internal_error" });
});

describe("a row that is put aside", () => {
  test("is in no answer until it is brought back", async () => {
    let files = catalogs.open();
    let { record } = await files.create(newFile({ filename: "aside.bin" }), "store");
    expect(await files.setAside(record.uid)).toEqual(record);
    expect(await files.setAside(record.id)).toBeNull();
    expect(await files.get(record.id)).toBeNull();
    expect(await files.getByChecksum(record.checksum_sha256)).toBeNull();
    expect((await files.list({})).rows).toEqual([]);
    expect((await files.list({ search: "aside" })).rows).toEqual([]);
    for await (let row of files.iterate({})) expect(row).toBeNull();
    expect(await files.beginDelete(record.id)).toBeNull();
    expect(await files.bringBack(record.id)).toEqual(record);
    expect(await files.bringBack(record.id)).toBeNull();
    expect((await files.list({})).rows).toEqual([record]);
  });

  test("still holds its object, but nothing new is linked to it", async () => {
    let files = catalogs.open();
    let first = (await files.create(newFile({ checksum_sha256 }), "link")).record;
    let second = (await files.create(newFile({ checksum_sha256 }), "link")).record;
    expect(second.s3_key).toBe(first.s3_key);
    await files.setAside(first.id);
    expect(await files.beginDelete(second.id)).toMatchObject({ removeObject: false });
    await files.finishDelete(second.id);
    let third = await files.create(newFile({ checksum_sha256 }), "link");
    expect(third).toMatchObject({ duplicateOf: null, linked: false });
    expect(third.record.s3_key).not.toBe(first.s3_key);
  });

  test("goes like any other, and stays aside when that fails", async () => {
    let files = catalogs.open();
    let { record } = await files.create(newFile(), "store");
    await files.setAside(record.id);
    expect(await files.beginDelete(record.id, { alsoSetAside: true })).toEqual({
      record,
      removeObject: true,
    });
    expect(await files.bringBack(record.id)).toBeNull();
    await files.cancelDelete(record.id);
    expect(await files.get(record.id)).toBeNull();
    expect(await files.bringBack(record.id)).toEqual(record);
    await files.setAside(record.id);
    await files.beginDelete(record.id, { alsoSetAside: true });
    await files.finishDelete(record.id);
    expect(await files.bringBack(record.id)).toBeNull();
  });
});

test("a write waits for another process's transaction without holding up the event loop", async () => {
  let path = catalogs.newPath();
  let files = catalogs.open(path);
  using other = new Database(path);
  other.run("BEGIN IMMEDIATE");
  let ticks = 0;
  // SQLite's own waiting would let no timer through, and the transaction would never end.
  let ticking = setInterval(() => {
    if (++ticks === 40) other.run("COMMIT");
  }, 5);
  let { record } = await files.create(newFile({ filename: "patient.bin" }), "store");
  clearInterval(ticking);
  expect(record.filename).toBe("patient.bin");
  expect(ticks).toBeGreaterThanOrEqual(40);
});
