import { expect, test } from "bun:test";

import { duration, progressLine } from "../../src/import/progress.ts";

const samples = [{ atMs: 0, done: 1_000 }];

test("progress tells what is done, how fast, and how long it will take", () => {
  let counted = { objects: 11_000, isKnown: true };
  expect(progressLine(2_000, counted, samples, 10_000)).toBe(
    "2,000 of 11,000 objects, 100 a second, 90 s left",
  );
});

test("progress tells no end while nobody knows how much there is", () => {
  expect(progressLine(2_000, { objects: 1_500, isKnown: false }, samples, 10_000)).toBe(
    "2,000 of at least 2,000 objects, 100 a second",
  );
  expect(progressLine(1_000, { objects: 2_000, isKnown: true }, samples, 0)).toBe(
    "1,000 of 2,000 objects, 0 a second",
  );
});

for (let [ms, expected] of [
  [0, "0 s"],
  [1, "1 s"],
  [119_999, "120 s"],
  [180_000, "3 min"],
  [7_500_000, "2 h 5 min"],
  [7_199_999, "120 min"],
] as const) {
  test(`${ms} ms are ${expected}`, () => expect(duration(ms)).toBe(expected));
}
