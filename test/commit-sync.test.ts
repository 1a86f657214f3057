import type { Database } from "bun:sqlite";
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { fstatSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createCommitSync } from "../src/commit-sync.ts";
import type { AppError } from "../src/errors.ts";
import { openDatabase } from "../src/sqlite.ts";

let folder = mkdtempSync(join(tmpdir(), "commit-sync-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
let db: Database;
beforeEach(() => {
  db = openDatabase(join(folder, `${++made}.db`));
  db.run("CREATE TABLE t (n INTEGER)");
});

/** A disk that syncs when it is told to. */
function createDisk() {
  let waiting: PromiseWithResolvers<void>[] = [];
  return {
    sync(): Promise<void> {
      let one = Promise.withResolvers<void>();
      waiting.push(one);
      return one.promise;
    },
    get syncs() {
      return waiting.length;
    },
    /** Ends the sync that began as the nth. */
    async end(nth: number, error?: Error) {
      if (error) waiting[nth]!.reject(error);
      else waiting[nth]!.resolve();
      await Bun.sleep(0);
    },
  };
}

describe("commits", () => {
  test("are synced in the file that holds them", async () => {
    let synced: number[] = [];
    let commits = createCommitSync(db, undefined, async (descriptor) => {
      synced.push(fstatSync(descriptor).ino);
    });
    db.run("INSERT INTO t VALUES (1)");
    await commits.synced();
    await Promise.all([commits.synced(), commits.synced()]);
    let { ino } = statSync(`${db.filename}-wal`);
    expect(synced).toEqual([ino, ino, ino]);
    commits.close();
    db.close();
  });

  test("that come while a sync is under way share the next one, and never take part in that one", async () => {
    let disk = createDisk();
    let commits = createCommitSync(db, undefined, disk.sync);
    let done: string[] = [];
    let commit = (name: string) => void commits.synced().then(() => done.push(name));
    commit("a");
    commit("b");
    commit("c");
    expect(disk.syncs).toBe(1);
    await disk.end(0);
    expect(done).toEqual(["a"]);
    expect(disk.syncs).toBe(2);
    commit("d");
    await disk.end(1);
    expect(done).toEqual(["a", "b", "c"]);
    expect(disk.syncs).toBe(3);
    await disk.end(2);
    expect(done).toEqual(["a", "b", "c", "d"]);
  });

  test("are refused for good when the disk fails, which is told once", async () => {
    let disk = createDisk();
    let told: AppError[] = [];
    let commits = createCommitSync(db, (error) => told.push(error), disk.sync);
    let first = commits.synced();
    let second = commits.synced();
    let outcomes = Promise.allSettled([first, second]);
    await disk.end(0, new Error("EIO"));
    let statuses = (await outcomes).map(({ status }) => status);
    expect(statuses).toEqual(["rejected", "rejected"]);
    await expect(commits.synced()).rejects.toMatchObject({ code: "internal_error" });
    expect(told.map(({ code, message }) => `${code} ${message}`)).toEqual([
      `internal_error Could not sync ${db.filename}-wal: EIO`,
    ]);
    expect(disk.syncs).toBe(1);
  });
});
