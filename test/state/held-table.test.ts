import type { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createCommitSync } from "../../src/commit-sync.ts";
import { immediately } from "../../src/sqlite.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createHeldTable, type HeldTable } from "../../src/state/held-table.ts";
import { createResumableTable } from "../../src/state/resumable-table.ts";
import { MIB } from "../../src/units.ts";
import { bytesOf } from "../store/bodies.ts";

const uid = "an-upload";
let folder: string;
let db: Database;
let held: HeldTable;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "s3-uploads-held-"));
  db = openStateDatabase(join(folder, "state.db"));
  let names = { uid, filename: "a", declaredType: null, clientMetadata: "", bucket: "b" };
  let sizes = { lengthBytes: null, partBytes: 8 * MIB, createdAtMs: 0 };
  let from = { sender: null, folder: null, holder: null, by: null };
  await createResumableTable(db, createCommitSync(db)).add({ ...names, ...from, ...sizes, storage: "local" });
  held = createHeldTable(db);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

function append(position: number, bytes: Uint8Array): void {
  immediately(db, () => held.append(uid, position, bytes));
}
function read(from: number, to: number): Uint8Array {
  let bytes = held.read(uid, from, to);
  let target = new Uint8Array(bytes.byteLength);
  bytes.readInto(target, 0);
  return target;
}
function rows(): { n: number; largest: number } {
  return db
    .query<{ n: number; largest: number }, []>(
      "SELECT count(*) AS n, max(length(bytes)) AS largest FROM resumable_bytes",
    )
    .get()!;
}

test("bytes that come one by one are few rows, and each is written a few times only", () => {
  let count = 20_000;
  let bytes = bytesOf(count);
  let written = 0;
  immediately(db, () => {
    for (let i = 0; i < count; i++) {
      held.append(uid, i, bytes.subarray(i, i + 1));
      let last = db.query<{ size: number }, []>(
        "SELECT length(bytes) AS size FROM resumable_bytes ORDER BY position DESC LIMIT 1",
      );
      written += last.get()!.size;
    }
  });
  expect(read(0, count)).toEqual(bytes);
  expect(rows().n).toBeLessThan(20);
  expect(written / count).toBeLessThan(20);
});

test("pieces of any size stay in order, and no row gets larger than one write should be", () => {
  let bytes = bytesOf(7 * MIB);
  let sizes = [1, 300_000, 3 * MIB, 1, 1, 500_000, 700_000, 2, MIB];
  let at = 0;
  for (let size of sizes) {
    append(at, bytes.subarray(at, at + size));
    at += size;
  }
  expect(read(0, at)).toEqual(bytes.slice(0, at));
  expect(read(123_456, 4_000_000)).toEqual(bytes.slice(123_456, 4_000_000));
  expect(rows().n).toBeLessThan(14);
  expect(rows().largest).toBeLessThanOrEqual(MIB);
});

test("what is in storage by now is forgotten", () => {
  let bytes = bytesOf(1000);
  append(0, bytes.subarray(0, 600));
  immediately(db, () => held.removeBefore(uid, 600));
  append(600, bytes.subarray(600));
  expect(read(600, 1000)).toEqual(bytes.slice(600));
  expect(() => read(0, 1000)).toThrow("missing");
});

test("a gap is refused", () => {
  append(0, bytesOf(10));
  expect(() => append(11, bytesOf(1))).toThrow("gap");
});
