import { expect, test } from "bun:test";

import { createReceipts } from "../../src/web/receipts.ts";
import type { UploadResultView } from "../../views/props.ts";

const hourMs = 3_600_000;

function results(count: number): UploadResultView[] {
  let error = { status: 413, title: "", message: "", facts: [], requestId: "r" };
  return Array.from({ length: count }, (_, nth) => ({ success: false as const, filename: `${nth}`, error }));
}

test("a receipt is found for an hour", () => {
  let nowMs = 0;
  let receipts = createReceipts({ nowMs: () => nowMs });
  let name = receipts.keep(results(2));
  nowMs = hourMs - 1;
  expect(receipts.find(name)).toHaveLength(2);
  nowMs = hourMs;
  expect(receipts.find(name)).toBeNull();
});

test("the oldest receipts go when all of them tell of too many files", () => {
  let receipts = createReceipts({ nowMs: () => 0 });
  let names = Array.from({ length: 7 }, () => receipts.keep(results(1000)));
  expect(names.map((name) => receipts.find(name) !== null)).toEqual([
    false,
    false,
    true,
    true,
    true,
    true,
    true,
  ]);
});
