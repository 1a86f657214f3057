import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";

import {
  type AuditRow,
  openCatalogAudit,
  rangeOfPrefix,
  successorOf,
} from "../../src/record/catalog-audit.ts";
import { compareByteOrder } from "../../src/store/byte-order.ts";
import { newFile } from "./new-file.ts";
import { tempCatalogs } from "./temp-catalog.ts";

let catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

const place = { storage: "local", bucket: "local", prefix: "uploads/" };

function keysOf(pages: Iterable<AuditRow[]>): string[] {
  return [...pages].flatMap((rows) => rows.map((row) => row.s3_key));
}

describe("a catalog that is held against storage", () => {
  test("gives the rows of a place in byte order of their keys, page by page", async () => {
    let path = catalogs.newPath();
    let files = catalogs.open(path);
    let awkward = ["a b", "a!b", "a/b", "a.b", "ä", "日本", "\uFB03", "🎉", "A", "~"].map(
      (name) => `uploads/${name}`,
    );
    let many = Array.from({ length: 1_100 }, (_, i) => `uploads/2026/${String(i).padStart(5, "0")}`);
    let all = [...awkward, ...many];
    await Promise.all(all.map((s3_key) => files.create(newFile({ s3_key }), "store")));
    for (let other of [
      { s3_key: "other/x" },
      { s3_key: "uploads0" },
      { bucket: "b" },
      { storage: "s3" as const },
    ]) {
      await files.create(newFile(other), "store");
    }
    let audit = openCatalogAudit({ path, tableName: "S3_Uploads" });
    let pages = [...audit.rowsByKey(place, rangeOfPrefix("uploads/"))];
    expect(keysOf(pages)).toEqual(all.toSorted(compareByteOrder));
    expect(pages.map((rows) => rows.length)).toEqual([1_000, 110]);
    expect(keysOf(audit.rowsElsewhere(place))).toHaveLength(4);
    expect(audit.countRows()).toBe(all.length + 4);
    let whole = { storage: "local", bucket: "local", prefix: "" };
    expect(keysOf(audit.rowsByKey(whole, rangeOfPrefix("")))).toHaveLength(all.length + 2);
    audit.close();
  });

  test("takes ranges that lie end to end without losing or repeating a row", async () => {
    let path = catalogs.newPath();
    let files = catalogs.open(path);
    let keys = ["uploads/a", "uploads/a", "uploads/a/b", "uploads/ab", "uploads/b", "uploads/b"];
    for (let s3_key of keys) await files.create(newFile({ s3_key }), "store");
    let audit = openCatalogAudit({ path, tableName: "s3_uploads" });
    for (let cut of ["uploads/", ...keys, "uploads/aa", "uploads/c"]) {
      let before = successorOf(cut);
      let { from, before: end } = rangeOfPrefix("uploads/");
      let halves = [
        ...keysOf(audit.rowsByKey(place, { from, before })),
        ...keysOf(audit.rowsByKey(place, { from: before, before: end })),
      ];
      expect(halves).toEqual(keys);
    }
    audit.close();
  });

  test("goes through many rows of one key", async () => {
    let path = catalogs.newPath();
    let files = catalogs.open(path);
    let made = Array.from({ length: 1_001 }, () => newFile({ s3_key: "uploads/same" }));
    await Promise.all(made.map((file) => files.create(file, "store")));
    let audit = openCatalogAudit({ path, tableName: "s3_uploads" });
    let ids = [...audit.rowsByKey(place, rangeOfPrefix("uploads/"))].flat().map((row) => row.id);
    expect(ids).toEqual(Array.from({ length: 1_001 }, (_, i) => i + 1));
    expect(audit.oldestByKey("local", "local", "uploads/same")?.id).toBe(1);
    let sharing = [...audit.rowsWithForeignKeys(place, { from: "", before: null })].flat();
    expect(sharing.map(({ uid }) => uid)).toEqual(made.map(({ uid }) => uid).toSorted());
    audit.close();
  });

  test("tells the rows that share an object by their keys", async () => {
    let path = catalogs.newPath();
    let files = catalogs.open(path);
    let own = newFile();
    let sharing = newFile({ s3_key: own.s3_key });
    for (let file of [own, sharing]) await files.create(file, "store");
    let audit = openCatalogAudit({ path, tableName: "s3_uploads" });
    let uids = (from: string, before: string | null) =>
      [...audit.rowsWithForeignKeys(place, { from, before })].flat().map((row) => row.uid);
    expect(uids("", null)).toEqual([sharing.uid]);
    expect(uids("", sharing.uid)).toEqual([]);
    expect(uids(sharing.uid, successorOf(sharing.uid))).toEqual([sharing.uid]);
    audit.close();
  });

  test("sees what another connection has committed since", async () => {
    let path = catalogs.newPath();
    let files = catalogs.open(path);
    let audit = openCatalogAudit({ path, tableName: "s3_uploads" });
    let file = newFile();
    expect(audit.byUid(file.uid)).toBeNull();
    let { record } = await files.create(file, "store");
    expect(audit.byUid(file.uid)?.id).toBe(record.id);
    await files.finishDelete(record.id);
    expect(audit.byId(record.id)).toBeNull();
    audit.close();
  });

  test("is read after a copy was put back without the files beside it", async () => {
    let path = catalogs.newPath();
    let files = catalogs.open(path);
    await files.create(newFile(), "store");
    files.close();
    for (let suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    let audit = openCatalogAudit({ path, tableName: "s3_uploads" });
    expect(audit.countRows()).toBe(1);
    audit.close();
  });
});

function open(path: string, tableName = "s3_uploads") {
  return openCatalogAudit({ path, tableName });
}

describe("a catalog that can't be held against storage", () => {
  test("because it is not there is not made", () => {
    let path = catalogs.newPath();
    expect(() => open(path)).toThrow("There is no catalog");
    expect(existsSync(path)).toBe(false);
  });

  test("because its table is another says which", () => {
    let path = catalogs.newPath();
    catalogs.open(path, "files");
    expect(() => open(path)).toThrow('has "files"');
  });

  test("because a newer program made it says so", () => {
    let path = catalogs.newPath();
    catalogs.open(path).close();
    using db = new Database(path);
    db.run("PRAGMA user_version = 99");
    expect(() => open(path)).toThrow("newer");
  });
});
