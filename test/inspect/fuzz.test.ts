import { describe, expect, test } from "bun:test";

import { fuzzInspection } from "../support/fuzz/fuzz-inspect.ts";

const casesPerSeed = 1500;
const maxCaseMs = 1000;

describe("mutated files never throw, hang or grow", () => {
  for (let seed of [1, 2, 3]) {
    test(`seed ${seed}`, async () => {
      let { slowestMs } = await fuzzInspection(seed, casesPerSeed);
      expect(slowestMs).toBeLessThan(maxCaseMs);
    });
  }
});
