import { afterEach, expect, test } from "bun:test";

import { AppError } from "../src/errors.ts";
import { silentLog } from "../src/log.ts";
import { createReadiness, type Readiness } from "../src/readiness.ts";
import type { Storage } from "../src/store/storage.ts";

let down = new AppError("storage_unavailable");
let readiness: Readiness;
afterEach(() => readiness.stop());

/** Starts with a storage that answers as `answers` says, one look after the other; the last for all that follow. */
async function start(...answers: (AppError | null | Promise<never>)[]) {
  let looks = 0;
  let time = { ms: 1_000_000 };
  let storage: Pick<Storage, "probe"> = {
    async probe() {
      let answer = await answers[Math.min(looks++, answers.length - 1)];
      if (answer) throw answer;
    },
  };
  let recovery = { run: async () => 0 };
  readiness = createReadiness(storage as Storage, recovery, async () => {}, silentLog, {
    nowMs: () => time.ms,
  });
  await readiness.start();
  return { time, looks: () => looks };
}

test("who asks hears of a storage that has gone away since the last look", async () => {
  let { time } = await start(null, down);
  expect(await readiness.ask()).toBeNull();
  time.ms += 5_000;
  expect(await readiness.ask()).toBe(down);
});

test("who asks hears of a storage that is back", async () => {
  let { time } = await start(down, null);
  expect(await readiness.ask()).toBe(down);
  time.ms += 5_000;
  expect(await readiness.ask()).toBeNull();
});

test("many who ask cause one look in five seconds", async () => {
  let { time, looks } = await start(null);
  time.ms += 5_000;
  await Promise.all(Array.from({ length: 50 }, () => readiness.ask()));
  time.ms += 4_999;
  await readiness.ask();
  expect(looks()).toBe(2);
});

test("who asks while storage says nothing hears of the last look", async () => {
  let { time } = await start(null, new Promise<never>(() => {}));
  time.ms += 5_000;
  expect(await readiness.ask()).toBeNull();
});
