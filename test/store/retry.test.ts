import { describe, expect, test } from "bun:test";

import { withRetry } from "../../src/store/s3/retry.ts";

const once = { attempts: 1, timeoutMs: 30 };

describe("a call's time-out", () => {
  test("ends a try that takes too long", async () => {
    let error = await withRetry(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
      once,
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "TimeoutError" });
  });

  test("does not touch what is read after the call has answered", async () => {
    let signal = await withRetry((given) => Promise.resolve(given), once);
    await Bun.sleep(3 * once.timeoutMs);
    expect(signal.aborted).toBe(false);
  });
});
