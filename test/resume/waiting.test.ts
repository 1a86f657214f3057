import { expect, test } from "bun:test";

import { createTurns, within } from "../../src/resume/waiting.ts";

test("work that takes too long is not waited for, and goes on", async () => {
  let { promise, resolve } = Promise.withResolvers<string>();
  expect(await within(promise, 1)).toBeNull();
  resolve("done");
  expect(await within(promise, 1000)).toBe("done");
  await expect(within(Promise.reject(new Error("failed")), 1000)).rejects.toThrow("failed");
});

test("no more than so many work at a time, the others in their order, failures or not", async () => {
  let turns = createTurns(2);
  let running = 0;
  let most = 0;
  let order: number[] = [];
  let work = (n: number) => async () => {
    most = Math.max(most, ++running);
    order.push(n);
    await Bun.sleep(1);
    running--;
    if (n === 1) throw new Error("one failed");
    return n;
  };
  let settled = await Promise.allSettled([0, 1, 2, 3, 4].map((n) => turns(work(n))));
  expect(settled.map(({ status }) => status === "fulfilled")).toEqual([true, false, true, true, true]);
  expect([most, order]).toEqual([2, [0, 1, 2, 3, 4]]);
});
