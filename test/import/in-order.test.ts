import { expect, test } from "bun:test";

import { createLimit, inOrder } from "../../src/import/in-order.ts";

async function* numbers(count: number, error?: Error): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i;
  if (error) throw error;
}

test("results come in the order of the items, with no more at work and ahead than allowed", async () => {
  let atWork = 0;
  let most = 0;
  let begun = 0;
  let work = async (item: number) => {
    begun++;
    most = Math.max(most, ++atWork);
    await Bun.sleep(item % 3);
    atWork--;
    return item;
  };
  let seen: number[] = [];
  for await (let item of inOrder(numbers(40), work, { atOnce: 4, ahead: 10 })) {
    seen.push(item);
    expect(begun - seen.length).toBeLessThanOrEqual(10);
  }
  expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => at));
  expect(most).toBe(4);
});

test("the results of what came before a failure of the source still come", async () => {
  let seen: number[] = [];
  let all = inOrder(numbers(5, new Error("broken")), async (item) => item, { atOnce: 2, ahead: 3 });
  let reading = (async () => {
    for await (let item of all) seen.push(item);
  })();
  await expect(reading).rejects.toThrow("broken");
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test("whoever leaves early ends the source", async () => {
  let ended = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield* numbers(100);
    } finally {
      ended = true;
    }
  }
  for await (let item of inOrder(source(), async (one) => one, { atOnce: 2, ahead: 3 }))
    if (item === 5) break;
  expect(ended).toBe(true);
});

test("a limit lets the next in when work has failed", async () => {
  let within = createLimit(1);
  let results = await Promise.allSettled([
    within(() => Promise.reject(new Error("no"))),
    within(async () => 1),
    within(async () => 2),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
});
