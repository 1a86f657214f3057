import { describe, expect, test } from "bun:test";

import { maxMetadataJsonBytes } from "../../src/inspect/exif/limits.ts";
import {
  ascii,
  bytes,
  exifSegment,
  jpeg,
  rationals,
  short,
  tiff,
  type TiffField,
  type TiffParts,
  u16,
  u32,
} from "../support/images.ts";
import { inspectBytes } from "./inspect-bytes.ts";

async function found(parts: TiffParts, options = { keepPosition: true }) {
  return (await inspectBytes(jpeg(8, 8, exifSegment(tiff(parts))), "a.jpg", options)).found;
}
const north = [ascii(1, "N"), rationals(2, [51, 1], [30, 1], [0, 1])];
const west = [ascii(3, "W"), rationals(4, [1, 1], [15, 1], [36, 1])];

describe("taken_at", () => {
  const CASES: [written: string, offset: string, taken: string | null][] = [
    ["2024:02:29 23:59:59", "", "2024-02-29T23:59:59"],
    ["2024:02:29 23:59:59", "+05:30", "2024-02-29T23:59:59+05:30"],
    ["2024:02:29 23:59:59", "nonsense", "2024-02-29T23:59:59"],
    ["2024:02:29 23:59:59", "+25:00", "2024-02-29T23:59:59"],
    ["2024-02-29T23:59:59Z", "", "2024-02-29T23:59:59Z"],
    ["2023:02:29 10:00:00", "", null],
    ["2024:02:30 25:61:61", "", null],
    ["0000:00:00 00:00:00", "", null],
    ["    :  :     :  :  ", "", null],
    ["yesterday", "", null],
  ];
  for (let [written, offset, taken] of CASES) {
    test(`${written} ${offset} gives ${taken}`, async () => {
      let exif = [ascii(0x9003, written), ...(offset ? [ascii(0x9011, offset)] : [])];
      expect((await found({ exif })).taken_at).toBe(taken);
    });
  }
  test("is found beside the size of the picture, where raw photos and scans have it", async () => {
    let main = [ascii(0x9003, "2024:01:02 03:04:05"), ascii(0x9011, "+01:00")];
    expect((await found({ main })).taken_at).toBe("2024-01-02T03:04:05+01:00");
    let exif = [ascii(0x9003, "2020:01:02 03:04:05")];
    expect((await found({ main: main.slice(0, 1), exif })).taken_at).toBe("2020-01-02T03:04:05");
  });
  test("may be written as bytes of no type", async () => {
    let [, , count, value] = ascii(0x9003, "2024:01:02 03:04:05");
    expect((await found({ exif: [[0x9003, 7, count, value]] })).taken_at).toBe("2024-01-02T03:04:05");
  });
  test("falls back on the time of digitising", async () => {
    let exif = [
      ascii(0x9003, "    :  :     :  :  "),
      ascii(0x9004, "2024:01:02 03:04:05"),
      ascii(0x9012, "-03:00"),
    ];
    expect((await found({ exif })).taken_at).toBe("2024-01-02T03:04:05-03:00");
  });
});

describe("position", () => {
  const CASES: [what: string, gps: TiffField[], latitude: number | null, longitude: number | null][] = [
    ["degrees, minutes, seconds", [...north, ...west], 51.5, -1.26],
    [
      "null island",
      [
        ascii(1, "N"),
        rationals(2, [0, 1], [0, 1], [0, 1]),
        ascii(3, "E"),
        rationals(4, [0, 1], [0, 1], [0, 1]),
      ],
      0,
      0,
    ],
    ["the equator from the south", [ascii(1, "S"), rationals(2, [0, 1], [0, 1], [0, 1]), ...west], 0, -1.26],
    [
      "what does not divide evenly",
      [...north, ascii(3, "E"), rationals(4, [151, 1], [11, 1], [60, 1])],
      51.5,
      151.2,
    ],
    ["one decimal number", [ascii(1, "s"), rationals(2, [515, 10]), ...west], -51.5, -1.26],
    ["seconds 0/0", [ascii(1, "N"), rationals(2, [51, 1], [30, 1], [0, 0]), ...west], 51.5, -1.26],
    ["0/0", [ascii(1, "N"), rationals(2, [0, 0], [0, 0], [0, 0]), ...west], null, null],
    ["no hemisphere", [rationals(2, [51, 1], [30, 1], [0, 1]), ...west], null, null],
    ["a wrong hemisphere", [ascii(1, "X"), rationals(2, [51, 1], [30, 1], [0, 1]), ...west], null, null],
    ["no longitude", north, null, null],
    ["beyond the pole", [ascii(1, "N"), rationals(2, [91, 1], [0, 1], [0, 1]), ...west], null, null],
    ["4294967295", [ascii(1, "N"), rationals(2, [4294967295, 1]), ...west], null, null],
    ["text", [ascii(1, "N"), ascii(2, "51.5"), ...west], null, null],
  ];
  for (let [what, gps, latitude, longitude] of CASES) {
    test(`${what} gives ${latitude}, ${longitude}`, async () => {
      let facts = await found({ gps });
      if (latitude === null || longitude === null)
        return expect([facts.latitude, facts.longitude]).toEqual([null, null]);
      expect(facts.latitude).toBe(latitude);
      expect(facts.longitude).toBe(longitude);
      expect(Object.is(facts.latitude, -0)).toBe(false);
    });
  }
  test("is nowhere when positions are not kept", async () => {
    let facts = await found(
      { main: [ascii(0x10f, "Acme")], gps: [...north, ...west] },
      { keepPosition: false },
    );
    expect(facts).toMatchObject({ latitude: null, longitude: null, metadata: { make: "Acme" } });
    expect(JSON.stringify(facts)).not.toMatch(/GPS|51/);
  });
});

const make = async (value: number[] | Uint8Array) =>
  (await found({ main: [[0x10f, 2, value.length, value]] })).metadata["make"];

describe("text", () => {
  test("ends at the first NUL, without blanks", async () => {
    expect(await make(bytes("ION230\0F"))).toBe("ION230");
    expect(await make(bytes("NIKON     \0"))).toBe("NIKON");
    expect(await make(bytes("no NUL at all"))).toBe("no NUL at all");
    expect(await make(bytes("\0\0\0\0\0\0"))).toBeUndefined();
  });
  test("is UTF-8, or else Latin-1, and never ill-formed", async () => {
    expect(await make(new TextEncoder().encode("Größe 😀\0"))).toBe("Größe 😀");
    expect(await make(bytes("Gr\xf6\xdfe", 0))).toBe("Größe");
  });
  test("has no control characters and no direction marks", async () => {
    let text = "a\x07b\r\nc\x1bd\u202egpj.exe";
    expect(await make(new TextEncoder().encode(text))).toBe("ab\r\ncdgpj.exe");
  });
  test("is cut at a whole character", async () => {
    let cut = String(await make(new TextEncoder().encode(`a${"😀".repeat(2000)}`)));
    expect(cut.isWellFormed()).toBe(true);
    expect(cut.length).toBeLessThanOrEqual(1000);
    expect(cut).not.toContain("\ufffd");
  });
  test("of comments and of Windows is decoded", async () => {
    let title = bytes(...[..."tïtle"].map((character) => u16(character.charCodeAt(0), true)), 0, 0);
    let comment = bytes("UNICODE\0", ...[..."hällo"].map((character) => u16(character.charCodeAt(0), true)));
    let facts = await found({
      main: [[0x9c9b, 1, title.length, title]],
      exif: [[0x9286, 7, comment.length, comment]],
    });
    expect(facts.metadata["exif"]).toMatchObject({ XPTitle: "tïtle", UserComment: "hällo" });
  });
  test("in UTF-16 is read in the order of bytes that it has, whatever the block's is", async () => {
    let comment = bytes("UNICODE\0", ...[..."hällo"].map((character) => u16(character.charCodeAt(0), false)));
    let { metadata } = await found({ exif: [[0x9286, 7, comment.length, comment]] });
    expect(metadata["exif"]).toEqual({ UserComment: "hällo" });
  });
});

describe("hostile EXIF", () => {
  test("gives bounded plain JSON", async () => {
    let main = Array.from({ length: 60 }, (_, at) => ascii(0x9c9b + 1000 + at, "x".repeat(900)));
    let exif = [
      0x9003, 0x9004, 0x9010, 0x9290, 0xa420, 0xa430, 0xa431, 0xa433, 0xa434, 0xa435, 0x8824, 0x9213, 0xa004,
    ].map((tag) => ascii(tag, '\u0001"\\'.repeat(600)));
    let blob: TiffField = [0x927c, 7, 3000, new Uint8Array(3000)];
    let facts = await found({ main: [...main, ascii(0x10e, "y".repeat(5000))], exif: [...exif, blob] });
    expect(Buffer.byteLength(JSON.stringify(facts.metadata))).toBeLessThan(maxMetadataJsonBytes);
    expect(JSON.stringify(facts.metadata)).not.toContain("MakerNote");
  });
  test("with counts, offsets and types out of this world is survived", async () => {
    let odd: TiffField[] = [
      [0x10f, 2, 0xffffffff, u32(0, true)],
      [0x110, 2, 10, u32(0xfffffff0, true)],
      [0x8827, 3, 0xffffffff, u32(8, true)],
      [0x111, 99, 1, u32(1, true)],
      [0x8769, 2, 4, u32(8, true)],
      [0x8825, 4, 1, u32(8, true)],
      short(0x112, 9),
      ascii(0x131, "fine software"),
    ];
    let facts = await found({ main: odd });
    expect(facts).toMatchObject({ width: 8, height: 8, latitude: null, taken_at: null });
    expect(facts.metadata["orientation"]).toBeUndefined();
    expect(facts.metadata["exif"]).toEqual({ Software: "fine software" });
  });
});
