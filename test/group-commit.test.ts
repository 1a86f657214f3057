import type { Database } from "bun:sqlite";
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createCommitSync } from "../src/commit-sync.ts";
import { AppError } from "../src/errors.ts";
import { createGroupCommit, type GroupCommit } from "../src/group-commit.ts";
import { immediately, openDatabase } from "../src/sqlite.ts";

let folder = mkdtempSync(join(tmpdir(), "group-commit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
let db: Database;
let transactions: number;
let syncs: PromiseWithResolvers<void>[];
let group: GroupCommit;
beforeEach(() => {
  db = openDatabase(join(folder, `${++made}.db`));
  db.run("CREATE TABLE t (n INTEGER PRIMARY KEY CHECK (n < 100)) STRICT");
  transactions = 0;
  syncs = [];
  let commits = createCommitSync(db, undefined, () => {
    let sync = Promise.withResolvers<void>();
    syncs.push(sync);
    return sync.promise;
  });
  group = createGroupCommit(
    db,
    (work) => {
      transactions++;
      immediately(db, work);
    },
    commits.synced,
  );
});

const add = (n: number) =>
  group.run("add a number", () => {
    db.run("INSERT INTO t VALUES (?)", [n]);
    return n;
  });
const numbers = () =>
  db
    .query<{ n: number }, []>("SELECT n FROM t ORDER BY n")
    .all()
    .map(({ n }) => n);

function failureOf(settled: PromiseSettledResult<unknown> | undefined): string | null {
  let reason: unknown = settled?.status === "rejected" ? settled.reason : null;
  return reason instanceof AppError ? `${reason.code}: ${reason.message}` : null;
}

async function syncsBegun(count: number): Promise<void> {
  while (syncs.length < count) await Bun.sleep(1);
}

describe("writes", () => {
  test("that come together are one transaction and one sync", async () => {
    let all = Promise.all([add(1), add(2), add(3)]);
    await syncsBegun(1);
    expect([transactions, numbers()]).toEqual([1, [1, 2, 3]]);
    syncs[0]!.resolve();
    expect(await all).toEqual([1, 2, 3]);
  });

  test("are not done for anybody before they are on disk; who comes meanwhile shares the next", async () => {
    let done: number[] = [];
    let first = add(1).then((n) => done.push(n));
    await syncsBegun(1);
    let later = [add(2), add(3)].map((one) => one.then((n) => done.push(n)));
    await Bun.sleep(5);
    expect([done, numbers(), transactions]).toEqual([[], [1], 1]);
    syncs[0]!.resolve();
    await first;
    await syncsBegun(2);
    expect([done, numbers(), transactions]).toEqual([[1], [1, 2, 3], 2]);
    syncs[1]!.resolve();
    await Promise.all(later);
    expect(done).toEqual([1, 2, 3]);
  });

  test("that fail by themselves leave their neighbours alone", async () => {
    let refused = new AppError("duplicate");
    let all = Promise.allSettled([
      add(1),
      add(100),
      add(1),
      group.run("refuse", () => {
        throw refused;
      }),
      add(2),
    ]);
    await syncsBegun(1);
    syncs[0]!.resolve();
    let [one, tooLarge, twice, refusal, two] = await all;
    expect([one, two]).toMatchObject([{ value: 1 }, { value: 2 }]);
    for (let failed of [tooLarge, twice]) {
      expect(failureOf(failed)).toMatch(/^internal_error: Could not add a number: .*constraint/);
    }
    expect(refusal).toEqual({ status: "rejected", reason: refused });
    expect(numbers()).toEqual([1, 2]);
  });

  test("fail all together when SQLite takes back the transaction, and none is made by itself", async () => {
    let all = Promise.allSettled([
      add(1),
      group.run("fill the disk", () => {
        // What a full disk does, without one.
        db.run("ROLLBACK");
        throw new AppError("disk_full");
      }),
      add(2),
    ]);
    for (let failed of await all) {
      expect(failureOf(failed)).toStartWith("disk_full: ");
    }
    expect(numbers()).toEqual([]);
    let next = add(3);
    await syncsBegun(1);
    syncs[0]!.resolve();
    expect(await next).toBe(3);
  });

  test("fail when the disk can't sync them", async () => {
    let all = Promise.allSettled([add(1), add(2)]);
    await syncsBegun(1);
    syncs[0]!.reject(new Error("EIO"));
    for (let failed of await all) {
      expect(failureOf(failed)).toMatch(/^internal_error: Could not sync .*-wal: EIO/);
    }
  });
});
