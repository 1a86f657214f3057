import { describe, expect, test } from "bun:test";

import { AppError } from "../../src/errors.ts";
import { createQueue, forEachLimited } from "../../src/reconcile/limited.ts";
import { listPages } from "../../src/reconcile/list-pages.ts";
import { pair } from "../../src/reconcile/pair.ts";
import { rangeOfPrefix } from "../../src/record/catalog-audit.ts";
import type { ObjectInfo } from "../../src/store/storage.ts";

/** Lists what it is given; fails at each of these positions once, and for ever from a negative one on. */
function bucketOf(
  keys: string[],
  failAt: number[] = [],
  code: "storage_unavailable" | "storage_error" = "storage_unavailable",
) {
  let left = new Set(failAt);
  let begun: (string | undefined)[] = [];
  async function* list(_: string, { startAfter }: { startAfter?: string } = {}): AsyncGenerator<ObjectInfo> {
    begun.push(startAfter);
    for (let [i, key] of keys.entries()) {
      if (left.delete(i)) throw new AppError(code, `failed at ${i}`);
      if (startAfter === undefined || key > startAfter) yield { key, sizeBytes: 1, lastModifiedMs: 1 };
    }
  }
  return { storage: { bucket: "b", list }, begun };
}

let numbered = (count: number) => Array.from({ length: count }, (_, i) => `p/${String(i).padStart(6, "0")}`);
let pagesOf = (storage: Parameters<typeof listPages>[0]) =>
  Array.fromAsync(listPages(storage, "p/", rangeOfPrefix("p/"), 1));

describe("a listing in pages", () => {
  for (let count of [0, 1, 999, 1_000, 1_001, 3_000]) {
    test(`of ${count} objects covers the whole prefix, end to end`, async () => {
      let keys = numbered(count);
      let pages = await pagesOf(bucketOf(keys).storage);
      expect(pages.flatMap(({ objects }) => objects.map(({ key }) => key))).toEqual(keys);
      expect(pages[0]?.range.from).toBe("p/");
      expect(pages.at(-1)?.range.before).toBe("p0");
      expect(pages.map(({ isLast }) => isLast)).toEqual(pages.map((_, i) => i === pages.length - 1));
      for (let [i, { objects, range }] of pages.entries()) {
        if (i > 0) expect(range.from).toBe(pages[i - 1]?.range.before ?? "");
        for (let { key } of objects) expect(key >= range.from && key < (range.before ?? "")).toBe(true);
      }
    });
  }

  test("is taken up behind its last key when it breaks off", async () => {
    let keys = numbered(2_500);
    let { storage, begun } = bucketOf(keys, [0, 1_200, 1_201, 2_499]);
    let pages = await pagesOf(storage);
    expect(pages.flatMap(({ objects }) => objects.map(({ key }) => key))).toEqual(keys);
    expect(begun).toEqual([undefined, undefined, keys[1_199], keys[1_200], keys[2_498]]);
  });

  test("is given up when nothing new comes, and at once when storage says no", async () => {
    let down = {
      bucket: "b",
      // oxlint-disable-next-line require-yield -- it fails
      async *list(): AsyncGenerator<ObjectInfo> {
        throw new AppError("storage_unavailable", "down");
      },
    };
    await expect(pagesOf(down)).rejects.toMatchObject({ code: "storage_unavailable" });
    let { storage, begun } = bucketOf(numbered(5), [2], "storage_error");
    await expect(pagesOf(storage)).rejects.toMatchObject({ code: "storage_error" });
    expect(begun).toHaveLength(1);
  });

  test("out of order can't be compared", async () => {
    let { storage } = bucketOf(["p/a", "p/c", "p/b"]);
    await expect(pagesOf(storage)).rejects.toMatchObject({
      code: "storage_error",
      message: expect.stringContaining("in order"),
    });
  });
});

function merged(lefts: number[], rights: number[]): string[] {
  return [...pair(lefts, rights, (a, b) => a - b)].map(({ left, right }) => `${left ?? "-"}${right ?? "-"}`);
}

function random(most: number): number {
  return Math.floor(Math.random() * most);
}

describe("two ordered streams", () => {
  test("are paired by their places", () => {
    expect(merged([1, 2, 4], [2, 3, 5])).toEqual(["1-", "22", "-3", "4-", "-5"]);
    expect(merged([], [1, 2])).toEqual(["-1", "-2"]);
    expect(merged([1, 2], [])).toEqual(["1-", "2-"]);
    expect(merged([1, 2], [1, 1, 1, 2])).toEqual(["11", "11", "11", "22"]);
  });

  test("lose nothing and invent nothing, whatever is in them", () => {
    for (let round = 0; round < 500; round++) {
      let lefts = [...new Set(Array.from({ length: random(12) }, () => random(15)))].toSorted(
        (a, b) => a - b,
      );
      let rights = Array.from({ length: random(12) }, () => random(15)).toSorted((a, b) => a - b);
      let expected = [
        ...lefts.filter((left) => !rights.includes(left)).map((left) => `${left}-`),
        ...rights.map((right) => `${lefts.includes(right) ? right : "-"}${right}`),
      ];
      expect(merged(lefts, rights).toSorted()).toEqual(expected.toSorted());
    }
  });
});

describe("work within bounds", () => {
  test("does everything, and no more at once than it may", async () => {
    let atWork = 0;
    let most = 0;
    let done: number[] = [];
    await forEachLimited([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
      most = Math.max(most, ++atWork);
      await Bun.sleep(1);
      atWork--;
      done.push(n);
    });
    expect([most, done.toSorted()]).toEqual([3, [1, 2, 3, 4, 5, 6, 7]]);
  });

  test("begins nothing new after a failure, and waits for what is under way", async () => {
    let begun = 0;
    let ended = 0;
    let work = forEachLimited([1, 2, 3, 4, 5], 2, async (n) => {
      begun++;
      await Bun.sleep(n);
      ended++;
      if (n === 1) throw new Error("no");
    });
    await expect(work).rejects.toThrow("no");
    expect([begun, ended]).toEqual([2, 2]);
  });

  test("in a queue comes one after another, also after a failure", async () => {
    let queue = createQueue();
    let order: string[] = [];
    let first = queue(async () => {
      await Bun.sleep(2);
      order.push("first");
      throw new Error("no");
    });
    let second = queue(async () => void order.push("second"));
    await expect(first).rejects.toThrow("no");
    await second;
    expect(order).toEqual(["first", "second"]);
  });
});
