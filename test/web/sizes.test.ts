import { expect, test } from "bun:test";

import { parseSize } from "../../src/web/sizes.ts";

test.each([
  ["0", 0],
  ["10", 10],
  ["10 bytes", 10],
  ["1 byte", 1],
  ["2B", 2],
  ["10 MB", 10_485_760],
  ["10mb", 10_485_760],
  [" 1.5GB ", 1_610_612_736],
  ["1,5 GB", 1_610_612_736],
  ["2 GiB", 2_147_483_648],
  ["3k", 3072],
  ["1 TB", 1_099_511_627_776],
  ["0.3", 1],
])("%p is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "MB", "ten", "-1", "+1", "1e3", "1.2.3", "1 2", "0x10", "10 apples", "9999999999 TB", "∞"])(
  "%p is no size",
  (text) => {
    expect(parseSize(text)).toBeNull();
  },
);
