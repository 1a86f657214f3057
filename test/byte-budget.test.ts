import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createByteBudget } from "../src/byte-budget.ts";
import { createSpool } from "../src/spool.ts";
import { createBlockPool } from "../src/store/s3/block-pool.ts";
import { createPartBuffer, type PartBuffer } from "../src/store/s3/part-buffer.ts";
import { KIB, MIB } from "../src/units.ts";
import { bytesOf } from "./store/bodies.ts";

const patienceMs = 20;
const capacity = 3 * MIB;
const never = new AbortController().signal;

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-budget-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a byte budget", () => {
  test("gives what is free and no more", () => {
    let budget = createByteBudget(100);
    expect([budget.tryTake(60), budget.tryTake(41), budget.tryTake(40)]).toEqual([true, false, true]);
    budget.give(60);
    expect(budget.heldBytes).toBe(40);
  });

  test("serves those who wait in the order in which they came", async () => {
    let budget = createByteBudget(100, patienceMs);
    budget.tryTake(100);
    let served: string[] = [];
    let large = budget.take(80, never).then(() => served.push("large"));
    let small = budget.take(10, never).then(() => served.push("small"));
    budget.give(30);
    expect(budget.tryTake(10)).toBe(false);
    await Promise.resolve();
    expect(served).toEqual([]);
    budget.give(70);
    await Promise.all([large, small]);
    expect(served).toEqual(["large", "small"]);
    expect(budget.heldBytes).toBe(90);
  });

  test("lets those behind go ahead when the first stops waiting", async () => {
    let budget = createByteBudget(100, patienceMs);
    budget.tryTake(50);
    let stop = new AbortController();
    let reason = new Error("stopped");
    let first = budget.take(80, stop.signal).catch((error: unknown) => error);
    let second = budget.take(50, never);
    stop.abort(reason);
    expect(await first).toBe(reason);
    await second;
    expect(budget.heldBytes).toBe(100);
    expect(await budget.take(1, stop.signal).catch((error: unknown) => error)).toBe(reason);
  });

  test("asks the slowest holders to make room, the oldest first, and only as many as it takes", async () => {
    let budget = createByteBudget(90, patienceMs);
    let relieved: string[] = [];
    let now = performance.now();
    for (let [name, ageMs] of [
      ["young", 500],
      ["oldest", 9000],
      ["old", 3000],
    ] as const) {
      budget.tryTake(30);
      let relieve = () => {
        relieved.push(name);
        budget.give(30);
      };
      budget.register({ sinceMs: now - ageMs, relieve });
    }
    await budget.take(50, never);
    expect(relieved).toEqual(["oldest", "old"]);
    expect(budget.heldBytes).toBe(80);
  });

  test("leaves alone who is not registered any more", async () => {
    let budget = createByteBudget(10, patienceMs);
    budget.tryTake(10);
    let asked = 0;
    let leave = budget.register({ sinceMs: 0, relieve: () => asked++ });
    leave();
    let waiting = budget.take(5, never);
    await Bun.sleep(3 * patienceMs);
    expect(asked).toBe(0);
    budget.give(10);
    await waiting;
  });
});

function memoryOf(limitBytes: number) {
  let budget = createByteBudget(limitBytes, patienceMs);
  return { budget, spool: createSpool(join(folder, "spool")), pool: createBlockPool(budget) };
}

/** Appends all of the bytes, as whoever cuts a body into parts does. */
async function fill(part: PartBuffer, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await part.append(bytes.subarray(at), never);
}

async function bytesIn(part: PartBuffer): Promise<Buffer> {
  let { byteLength, blocks } = await part.seal(never);
  let whole = Buffer.concat(blocks);
  expect(whole.length).toBe(byteLength);
  return whole;
}

describe("a part buffer", () => {
  test("counts nothing at first, then the whole part", async () => {
    let memory = memoryOf(2 * capacity);
    let part = createPartBuffer(capacity, memory);
    await fill(part, bytesOf(10));
    expect(memory.budget.heldBytes).toBe(0);
    await fill(part, bytesOf(100 * KIB));
    expect(memory.budget.heldBytes).toBe(capacity);
    part.release();
    expect(memory.budget.heldBytes).toBe(0);
  });

  test("takes what fits and tells how much that was", async () => {
    let memory = memoryOf(2 * capacity);
    let part = createPartBuffer(capacity, memory);
    let bytes = bytesOf(capacity + 5);
    expect(await part.append(bytes.subarray(0, 1000), never)).toBe(1000);
    expect(await part.append(bytes.subarray(1000), never)).toBe(64 * KIB - 1000);
    await fill(part, bytes.subarray(64 * KIB, capacity));
    expect(await part.append(bytes, never)).toBe(0);
    expect(Buffer.compare(await bytesIn(part), bytes.subarray(0, capacity))).toBe(0);
    part.release();
    expect(memory.budget.heldBytes).toBe(0);
  });

  test("of a slow sender moves to disk for one who waits, and comes back whole", async () => {
    let memory = memoryOf(capacity);
    let { budget } = memory;
    let slow = createPartBuffer(capacity, memory);
    let bytes = bytesOf(capacity);
    await fill(slow, bytes.subarray(0, 200 * KIB));
    expect(budget.heldBytes).toBe(capacity);
    await budget.take(capacity, never);
    expect(budget.heldBytes).toBe(capacity);

    await fill(slow, bytes.subarray(200 * KIB));
    expect(budget.heldBytes).toBe(capacity);
    let coming = bytesIn(slow);
    budget.give(capacity);
    expect(Buffer.compare(await coming, bytes)).toBe(0);
    slow.release();
    expect(budget.heldBytes).toBe(0);
    expect(readdirSync(join(folder, "spool"))).toEqual([]);
  });

  test("waits for the whole part behind those who came first, with little in its hands", async () => {
    let memory = memoryOf(2 * capacity);
    let { budget } = memory;
    budget.tryTake(2 * capacity);
    let part = createPartBuffer(capacity, memory);
    await fill(part, bytesOf(64 * KIB));
    let filling = fill(part, bytesOf(100 * KIB));
    await Bun.sleep(3 * patienceMs);
    expect(part.sizeBytes).toBe(64 * KIB);
    budget.give(capacity);
    await filling;
    expect(budget.heldBytes).toBe(2 * capacity);
    part.release();
    expect(budget.heldBytes).toBe(capacity);
  });

  test("that is stopped while it waits gives everything back", async () => {
    let memory = memoryOf(capacity);
    let { budget } = memory;
    budget.tryTake(capacity);
    let stop = new AbortController();
    let part = createPartBuffer(capacity, memory);
    await fill(part, bytesOf(64 * KIB));
    let waiting = Promise.resolve(part.append(bytesOf(10), stop.signal)).catch((error: unknown) => error);
    let reason = new Error("stopped");
    stop.abort(reason);
    expect(await waiting).toBe(reason);
    part.release();
    part.release();
    expect(budget.heldBytes).toBe(capacity);
    budget.give(capacity);
    await budget.take(capacity, never);
  });

  test("many at once in little memory all come through", async () => {
    let memory = memoryOf(2 * capacity);
    let bytes = bytesOf(capacity);
    async function send(nth: number): Promise<boolean> {
      let part = createPartBuffer(capacity, memory);
      for (let at = 0; at < capacity; at += 128 * KIB) {
        await fill(part, bytes.subarray(at, at + 128 * KIB));
        await Bun.sleep(nth % 3);
      }
      let same = Buffer.compare(await bytesIn(part), bytes) === 0;
      part.release();
      return same;
    }
    let results = await Promise.all(Array.from({ length: 20 }, (_, nth) => send(nth)));
    expect(results).toEqual(Array.from({ length: 20 }, () => true));
    expect(memory.budget.heldBytes).toBe(0);
  });

  test("more than there is memory for, all begun, still come through", async () => {
    let memory = memoryOf(capacity);
    let bytes = bytesOf(capacity);
    let parts = Array.from({ length: 60 }, () => createPartBuffer(capacity, memory));
    for (let part of parts) await fill(part, bytes.subarray(0, 64 * KIB));
    let results = await Promise.all(
      parts.map(async (part) => {
        await fill(part, bytes.subarray(64 * KIB));
        let same = Buffer.compare(await bytesIn(part), bytes) === 0;
        part.release();
        return same;
      }),
    );
    expect(results).toEqual(parts.map(() => true));
    expect(memory.budget.heldBytes).toBe(0);
  });

  test("uses the memory of an earlier one, and keeps within the budget what nobody uses", async () => {
    let { budget, pool } = memoryOf(40 * MIB);
    let lent = Array.from({ length: 30 }, () => pool.take(MIB));
    let [first] = lent;
    for (let block of lent) pool.give(block);
    let kept = lent.filter((block) => block.length > 0);
    expect(kept.length).toBe(24);
    expect(kept).toContain(first!);

    budget.tryTake(35 * MIB);
    expect(kept).toContain(pool.take(MIB));
    expect(kept.filter((block) => block.length > 0).length).toBe(6);
  });
});
