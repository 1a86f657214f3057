import { expect, test } from "bun:test";

import {
  exactBytes,
  mapHref,
  shortBytes,
  shortDate,
  shortDuration,
  shortPosition,
} from "../../views/format.ts";

test.each([
  [0, "0 bytes", "0 bytes"],
  [1, "1 byte", "1 byte"],
  [1023, "1023 bytes", "1,023 bytes"],
  [1024, "1 KB", "1,024 bytes"],
  [1536, "1.5 KB", "1,536 bytes"],
  [10_240, "10 KB", "10,240 bytes"],
  [1_048_575, "1 MB", "1,048,575 bytes"],
  [5 * 1024 ** 3, "5 GB", "5,368,709,120 bytes"],
  [10 * 1024 ** 2 - 1, "10 MB", "10,485,759 bytes"],
  [5 * 1024 ** 4, "5 TB", "5,497,558,138,880 bytes"],
])("%d is %s, exactly %s", (bytes, short, exact) => {
  expect(shortBytes(bytes)).toBe(short);
  expect(exactBytes(bytes)).toBe(exact);
});

test.each([
  ["2026-11-23T20:30:00.000Z", "23 Nov 2026, 20:30"],
  ["2013-02-09T16:41:12+01:00", "9 Feb 2013, 16:41"],
  ["2013-02-09", "9 Feb 2013"],
  ["2013-13-09", "2013-13-09"],
  ["<b>", "<b>"],
  ["", ""],
])("%j is shown as %j", (iso, shown) => {
  expect(shortDate(iso)).toBe(shown);
});

test.each([
  [0.04, "0.04 s"],
  [3.08, "3.1 s"],
  [59.4, "59 s"],
  [59.6, "1:00"],
  [200.046, "3:20"],
  [3599.7, "1:00:00"],
  [36_125, "10:02:05"],
])("%d seconds are shown as %s", (seconds, shown) => {
  expect(shortDuration(seconds)).toBe(shown);
});

test("a position is shown to the metre and linked as it is", () => {
  expect(shortPosition(-33.856789123, 0)).toBe("-33.85679, 0.00000");
  expect(mapHref(-33.5, 151.25)).toBe(
    "https://www.openstreetmap.org/?mlat=-33.5&mlon=151.25#map=15/-33.5/151.25",
  );
});
