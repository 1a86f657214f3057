import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createAllowances } from "../src/allowance.ts";
import { createCommitSync } from "../src/commit-sync.ts";
import type { ByteStream } from "../src/domain.ts";
import { AppError } from "../src/errors.ts";
import { closeDatabase } from "../src/sqlite.ts";
import { openStateDatabase } from "../src/state/database.ts";
import { createInvitations } from "../src/state/invitations.ts";
import { createTokens } from "../src/state/tokens.ts";
import { createUsageTable } from "../src/state/usage.ts";

const folder = mkdtempSync(join(tmpdir(), "allowance-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function world(limits: { maxBytes?: number | null; maxFiles?: number | null } = {}) {
  let db = openStateDatabase(join(folder, `${++made}`, "state.db"));
  let clock = { nowMs: () => Date.UTC(2026, 10, 23) };
  let commits = createCommitSync(db);
  let table = createUsageTable(db, commits);
  let allowances = createAllowances(table);
  let invitations = createInvitations(db, clock);
  let { id } = invitations.create({
    note: "",
    createdBy: "user:ann",
    expiresAtMs: clock.nowMs() + 1000,
    maxBytes: null,
    maxFiles: null,
    ...limits,
  });
  let holder = { type: "invitation" as const, id };
  return {
    allowances,
    table,
    invitations,
    holder,
    mine: allowances.of(holder),
    tokens: createTokens(db, clock),
    left: () => allowances.left(holder),
    used: () => {
      let { usedBytes, usedFiles } = invitations.get(id) ?? {};
      return [usedFiles, usedBytes];
    },
    [Symbol.dispose]() {
      commits.close();
      closeDatabase(db);
    },
  };
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return "nothing thrown";
}

async function* body(...sizes: number[]): ByteStream {
  for (let size of sizes) yield new Uint8Array(size);
}

async function read(stream: ByteStream): Promise<number> {
  let bytes = 0;
  for await (let chunk of stream) bytes += chunk.byteLength;
  return bytes;
}

describe("the number of files", () => {
  test("counts those on their way, and gives the place of a failed one back", () => {
    using given = world({ maxFiles: 2 });
    let [first, second] = [given.mine.begin(1), given.mine.begin(1)];
    expect(codeOf(() => given.mine.begin(1))).toBe("quota_exceeded");
    expect(given.left()).toEqual({ bytes: null, files: 0 });
    first.release();
    second.release();
    expect(given.left()).toEqual({ bytes: null, files: 2 });
    expect(given.used()).toEqual([0, 0]);
  });

  test("counts one that is being counted for good once, also before that is on disk", async () => {
    using given = world({ maxFiles: 2, maxBytes: 20 });
    let hold = given.mine.begin(10);
    let counting = hold.charge("a", 10);
    expect(given.used()).toEqual([1, 10]);
    expect(given.left()).toEqual({ bytes: 10, files: 1 });
    given.mine.begin(10).release();
    await counting;
    hold.release();
    expect(given.left()).toEqual({ bytes: 10, files: 1 });
  });

  test("counts those that were taken for good", async () => {
    using given = world({ maxFiles: 1 });
    let hold = given.mine.begin(null);
    expect(await read(hold.counted(body(3, 4)))).toBe(7);
    await hold.charge("a", 7);
    hold.settle();
    hold.release();
    expect(given.used()).toEqual([1, 7]);
    expect(codeOf(() => given.mine.begin(1))).toBe("quota_exceeded");
  });
});

describe("the total size", () => {
  test("refuses a declared file at the start, and tells what is left", () => {
    using given = world({ maxBytes: 10 });
    let hold = given.mine.begin(7);
    expect(given.left()?.bytes).toBe(3);
    expect(codeOf(() => given.mine.begin(4))).toBe("quota_exceeded");
    given.mine.begin(3).release();
    hold.release();
    given.mine.begin(10).release();
  });

  test("stops a file of unknown length at the first byte too many, also beside others", async () => {
    using given = world({ maxBytes: 10 });
    let [a, b] = [given.mine.begin(null), given.mine.begin(null)];
    expect(await read(a.counted(body(6)))).toBe(6);
    let stopped = read(b.counted(body(4, 1)));
    expect(await stopped.catch((error: AppError) => [error.code, error.details.limit_bytes])).toEqual([
      "quota_exceeded",
      4,
    ]);
    b.release();
    expect(given.left()?.bytes).toBe(4);
    a.release();
    expect(given.left()?.bytes).toBe(10);
  });

  test("a sender who declares less than comes is held to what comes", async () => {
    using given = world({ maxBytes: 10 });
    let hold = given.mine.begin(2);
    expect(await read(hold.counted(body(2, 9))).catch((error: AppError) => error.code)).toBe(
      "quota_exceeded",
    );
    hold.release();
  });

  test("is never overrun by fifty files at once", async () => {
    using given = world({ maxBytes: 100 });
    let taken = await Promise.all(
      Array.from({ length: 50 }, async (_, nth) => {
        let hold = null;
        try {
          hold = given.mine.begin(nth % 2 === 0 ? 7 : null);
          let bytes = await read(hold.counted(body(3, 4)));
          await hold.charge(`file ${nth}`, bytes);
          // A few fail after they were counted.
          if (nth % 5 === 0) hold.refund();
          else hold.settle();
          return nth % 5 === 0 ? 0 : bytes;
        } catch {
          return 0;
        } finally {
          hold?.release();
        }
      }),
    );
    let total = taken.reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThanOrEqual(100);
    expect(given.used()).toEqual([total / 7, total]);
    expect(given.left()?.bytes).toBe(100 - total);
    expect(given.table.unsettled()).toEqual([]);
  });
});

test("a token's quota counts as an invitation's does", async () => {
  using given = world();
  let { id } = given.tokens.create({ name: "a", scopes: ["upload"], maxBytes: 5 });
  let mine = given.allowances.of({ type: "token", id });
  let hold = mine.begin(5);
  await hold.charge("a", 5);
  hold.settle();
  hold.release();
  expect(codeOf(() => mine.begin(1))).toBe("quota_exceeded");
  expect(given.tokens.list()[0]?.usedBytes).toBe(5);
});

test("who is revoked in the middle is not counted, and gets nothing more", async () => {
  using given = world({ maxFiles: 5 });
  let hold = given.mine.begin(1);
  given.invitations.revoke(given.holder.id);
  expect(await hold.charge("a", 1).catch((error: AppError) => error.code)).toBe("permission_denied");
  hold.release();
  expect(codeOf(() => given.mine.begin(1))).toBe("permission_denied");
  expect(given.left()).toBeNull();
});

test("after a crash, files without a row are not counted any more", async () => {
  using given = world({ maxFiles: 5 });
  for (let uid of ["there", "lost"]) await given.mine.begin(3).charge(uid, 3);
  let next = createAllowances(given.table);
  await next.settle((uid) => Promise.resolve(uid === "there"));
  expect(given.used()).toEqual([1, 3]);
  expect(given.table.unsettled()).toEqual([]);
});
