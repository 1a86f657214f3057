import { describe, expect, test } from "bun:test";
import { brotliCompressSync } from "node:zlib";

import { box, bytes, short, tiff, u16, u32 } from "../support/images.ts";
import { inspectBytes, sizesOf } from "./inspect-bytes.ts";

const turned = tiff({ main: [short(0x112, 6)] });
const lying = ["40x30", "30x40"];
const upright = ["30x40", "30x40"];

const codestream = (hex: string) => new Uint8Array(Buffer.from(`ff0a${hex}`, "hex"));

describe("JPEG XL", () => {
  /** As cjxl writes them. */
  const CASES: [hex: string, displayed: string, stored: string][] = [
    ["13f19350b9b78a200012", "120x80", "120x80"],
    ["008100207e92cabd5504", "4097x33", "4097x33"],
    ["20409050b9b78a200012", "7x5", "7x5"],
    ["ba21c54f52b9b78a2000", "1920x1080", "1920x1080"],
    // Orientation 6.
    ["132d10505c12080201", "80x120", "120x80"],
  ];
  for (let [hex, displayed, stored] of CASES) {
    test(`${stored} shown as ${displayed}, bare and in boxes`, async () => {
      let sign = bytes(box("JXL ", [0x0d, 0x0a, 0x87, 0x0a]), box("ftyp", "jxl ", u32(0), "jxl "));
      let bare = codestream(hex);
      expect(await sizesOf(bytes(bare, new Uint8Array(40)), "a.jxl")).toEqual([displayed, stored]);
      for (let boxed of [box("jxlc", bare), bytes(box("jxlp", u32(0), bare), box("jxlp", u32(1), 0))])
        expect(await sizesOf(bytes(sign, boxed), "a.jxl")).toEqual([displayed, stored]);
    });
  }
  test("EXIF is read, packed as well, and does not turn the picture", async () => {
    let sign = bytes(box("JXL ", [0x0d, 0x0a, 0x87, 0x0a]), box("ftyp", "jxl ", u32(0), "jxl "));
    let exif = bytes(u32(0), turned);
    let picture = box("jxlc", codestream("20409050b9b78a200012"));
    for (let block of [box("Exif", exif), box("brob", "Exif", brotliCompressSync(exif))]) {
      let file = bytes(sign, picture, block);
      expect(await sizesOf(file, "a.jxl")).toEqual(["7x5", "7x5"]);
      expect((await inspectBytes(file, "a.jxl")).found.metadata["orientation"]).toBe(6);
    }
    expect(await sizesOf(bytes(sign, box("brob", "Exif", "no brotli"), picture), "a.jxl")).toEqual([
      "7x5",
      "7x5",
    ]);
    let broken = Array.from({ length: 2 }, () => box("brob", "Exif", "no brotli"));
    let many = bytes(sign, picture, ...broken, box("brob", "Exif", brotliCompressSync(exif)));
    // Each could be a bomb: one is enough.
    expect((await inspectBytes(many, "a.jxl")).found.metadata["orientation"]).toBeUndefined();
  });
});

describe("JPEG 2000", () => {
  test("the bare codestream begins at an offset within its grid", async () => {
    let file = bytes(
      [0xff, 0x4f, 0xff, 0x51],
      u16(47),
      u16(0),
      u32(35),
      u32(46),
      u32(5),
      u32(6),
      new Uint8Array(20),
    );
    expect(await sizesOf(file, "a.j2k")).toEqual(upright);
  });
  test("in boxes it has EXIF", async () => {
    let file = bytes(
      box("jP  ", [0x0d, 0x0a, 0x87, 0x0a]),
      box("ftyp", "jp2 ", u32(0), "jp2 "),
      box("jp2h", box("ihdr", u32(40), u32(30), new Uint8Array(6))),
      box("uuid", "JpgTiffExif->JP2", turned),
    );
    expect(await sizesOf(file, "a.jp2")).toEqual(lying);
  });
});

const resource = (id: number, name: string, content: Uint8Array) =>
  bytes(
    "8BIM",
    u16(id),
    name.length,
    name,
    name.length % 2 ? [] : 0,
    u32(content.length),
    content,
    new Uint8Array(content.length % 2),
  );

test("Photoshop: the header's size, and EXIF among the resources", async () => {
  let resources = bytes(resource(0x3ed, "odd", bytes(1, 2, 3)), resource(0x422, "", turned));
  let header = bytes("8BPS", u16(1), new Uint8Array(6), u16(3), u32(40), u32(30), u16(8), u16(3));
  expect(await sizesOf(bytes(header, u32(4), "tint", u32(resources.length), resources), "a.psd")).toEqual(
    lying,
  );
  expect(await sizesOf(bytes(header, u32(0), u32(0xffffffff), "8BIM"), "a.psd")).toEqual(upright);
});

const entry = (width: number, height: number) => bytes(width, height, new Uint8Array(14));

test("icons: the largest picture, 0 for 256", async () => {
  let file = bytes([0, 0, 1, 0], u16(3, true), entry(16, 16), entry(0, 0), entry(32, 32));
  expect(await sizesOf(file, "a.ico")).toEqual(["256x256", "256x256"]);
});

test("Netpbm: text or not, among comments", async () => {
  for (let [sign, type] of [
    ["P1", "bitmap"],
    ["P2", "graymap"],
    ["P3", "pixmap"],
    ["P4", "bitmap"],
    ["P5", "graymap"],
    ["P6", "pixmap"],
  ]) {
    let file = bytes(`${sign}\n# made by 1 2\n30 # wide\n40\n255\n1 2 3 4\n`);
    let { media } = await inspectBytes(file, "a.txt");
    expect([sign, media.contentType, ...(await sizesOf(file, "a.txt"))]).toEqual([
      sign,
      `image/x-portable-${type}`,
      ...upright,
    ]);
  }
  expect((await inspectBytes(bytes("P3 is a name, P3 4 too"), "a.txt")).media.contentType).toBe("text/plain");
});
