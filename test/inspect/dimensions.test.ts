import { describe, expect, test } from "bun:test";

import { extractMetadata } from "../../src/inspect/extract-metadata.ts";
import { createHeadTail } from "../../src/inspect/head-tail.ts";
import { cpuMsOf } from "../support/cpu-time.ts";
import {
  box,
  bytes,
  deflated,
  exifSegment,
  jpeg,
  jpegSegment,
  png,
  pngChunk,
  rawProfileText,
  riff,
  short,
  tiff,
  u16,
  u32,
} from "../support/images.ts";
import { inspectBytes, sizesOf } from "./inspect-bytes.ts";

const turned = tiff({ main: [short(0x112, 6)] });
const lying = ["40x30", "30x40"];
const upright = ["30x40", "30x40"];
const unknown = ["nullxnull", "undefinedxundefined"];

describe("JPEG", () => {
  test("size and orientation are found behind any segments, fill bytes included", async () => {
    let colours = Array.from({ length: 5 }, () => jpegSegment(0xe2, "x".repeat(65_000)));
    let fill = bytes(0xff, 0xff);
    expect(await sizesOf(jpeg(30, 40, ...colours, fill, exifSegment(turned)), "a.jpg")).toEqual(lying);
  });
  test("EXIF in several segments is put together", async () => {
    let long = tiff({ main: [short(0x112, 6)] }, { gap: 70_000 });
    let file = jpeg(30, 40, exifSegment(long.slice(0, 60_000)), exifSegment(long.slice(60_000)));
    expect(await sizesOf(file, "a.jpg")).toEqual(lying);
  });
  test("EXIF that the file's end cuts is not believed", async () => {
    let file = bytes(0xff, 0xd8, exifSegment(turned)).slice(0, -2);
    expect((await inspectBytes(file, "a.jpg")).found.metadata).toEqual({});
  });
  test("a frame header behind the head is read from storage", async () => {
    let file = jpeg(30, 40, ...Array.from({ length: 20 }, () => jpegSegment(0xe2, "x".repeat(65_000))));
    let headTail = createHeadTail();
    headTail.push(bytes(file, new Uint8Array(200_000)));
    let source = headTail.source((offset, length) => Promise.resolve(file.slice(offset, offset + length)));
    let media = { contentType: "image/jpeg", extension: "jpg", kind: "image" } as const;
    expect(await extractMetadata(source, media, { keepPosition: true })).toMatchObject({
      width: 30,
      height: 40,
    });
  });
});

describe("PNG", () => {
  const CASES: [what: string, file: Uint8Array][] = [
    ["eXIf", png(30, 40, pngChunk("eXIf", turned))],
    ["eXIf behind the picture", png(30, 40, pngChunk("IDAT", "abc"), pngChunk("eXIf", turned))],
    [
      "eXIf behind a large picture",
      png(30, 40, pngChunk("IDAT", new Uint8Array(900_000)), pngChunk("eXIf", turned)),
    ],
    ["eXIf with the header of JPEG", png(30, 40, pngChunk("eXIf", bytes("Exif\0\0", turned)))],
    ["a text chunk", png(30, 40, pngChunk("tEXt", `Raw profile type exif\0${rawProfileText(turned)}`))],
    [
      "a deflated text chunk",
      png(30, 40, pngChunk("zTXt", bytes("Raw profile type APP1\0\0", deflated(rawProfileText(turned))))),
    ],
  ];
  for (let [what, file] of CASES) {
    test(`orientation from ${what}`, async () => expect(await sizesOf(file, "a.png")).toEqual(lying));
  }
  test("a deflate bomb in a text chunk is no EXIF", async () => {
    let bomb = bytes("Raw profile type exif\0\0", deflated(rawProfileText(turned) + "0".repeat(5_000_000)));
    expect(await sizesOf(png(30, 40, pngChunk("zTXt", bomb)), "a.png")).toEqual(upright);
  });
  test("behind one, no other text is unpacked: they could be many", async () => {
    let [bomb, good] = ["0".repeat(5_000_000), rawProfileText(turned)].map((text) =>
      pngChunk("zTXt", bytes("Raw profile type exif\0\0", deflated(text))),
    );
    expect(await sizesOf(png(30, 40, bomb!, good!), "a.png")).toEqual(upright);
    expect(await sizesOf(png(30, 40, good!, bomb!), "a.png")).toEqual(lying);
  });
  test("claimed sizes stay as claimed, impossible ones are none", async () => {
    expect(await sizesOf(png(65536, 65536), "a.png")).toEqual(["65536x65536", "65536x65536"]);
    expect(await sizesOf(png(0, 5), "a.png")).toEqual(unknown);
    expect(await sizesOf(png(0xffffffff, 5), "a.png")).toEqual(unknown);
  });
});

const extended = (flags: number) => bytes(flags, 0, 0, 0, 29, 0, 0, 39, 0, 0);

describe("WebP", () => {
  let lossy = bytes([0, 0, 0, 0x9d, 0x01, 0x2a], u16(30, true), u16(40, true));
  let lossless = bytes(0x2f, u32(29 | (39 << 14), true), new Uint8Array(10));
  test("all three kinds have their size", async () => {
    expect(await sizesOf(riff("WEBP", ["VP8 ", lossy]), "a.webp")).toEqual(upright);
    expect(await sizesOf(riff("WEBP", ["VP8L", lossless]), "a.webp")).toEqual(upright);
    expect(await sizesOf(riff("WEBP", ["VP8X", extended(0)], ["VP8 ", lossy]), "a.webp")).toEqual(upright);
  });
  test("EXIF is found with and without the header of JPEG", async () => {
    for (let block of [turned, bytes("Exif\0\0", turned)]) {
      let file = riff("WEBP", ["VP8X", extended(8)], ["VP8 ", bytes(lossy, 0)], ["EXIF", block]);
      expect(await sizesOf(file, "a.webp")).toEqual(lying);
    }
  });
});

test("BMP: OS/2 headers and rows from top to bottom", async () => {
  let start = bytes("BM", new Uint8Array(12));
  expect(
    await sizesOf(bytes(start, u32(12, true), u16(30, true), u16(40, true), new Uint8Array(20)), "a.bmp"),
  ).toEqual(upright);
  expect(
    await sizesOf(bytes(start, u32(40, true), u32(30, true), u32(-40, true), new Uint8Array(28)), "a.bmp"),
  ).toEqual(upright);
});

test("GIF: the logical screen", async () => {
  expect(await sizesOf(bytes("GIF89a", u16(30, true), u16(40, true), 0, 0, 0), "a.gif")).toEqual(upright);
});

const entry = (tag: number, type: number, value: number) =>
  bytes(u16(tag, true), u16(type, true), u32(1, true), u32(0), u32(value, true), u32(0));

describe("TIFF", () => {
  for (let littleEndian of [true, false]) {
    test(`${littleEndian ? "II" : "MM"}: the directory may stand far behind`, async () => {
      let main = [
        [0x100, 3, 1, u16(30, littleEndian)],
        [0x101, 4, 1, u32(40, littleEndian)],
        short(0x112, 6, littleEndian),
      ];
      let file = tiff({ main: main as never }, { littleEndian, gap: 3_000_000 });
      expect(await sizesOf(file, "a.tif")).toEqual(lying);
    });
  }
  test("BigTIFF", async () => {
    let file = bytes(
      "II+\0",
      [8, 0, 0, 0],
      u32(16, true),
      u32(0),
      u32(3, true),
      u32(0),
      entry(0x100, 16, 30),
      entry(0x101, 4, 40),
      entry(0x112, 3, 6),
      u32(0),
      u32(0),
    );
    expect(await sizesOf(file, "a.tif")).toEqual(lying);
  });
  test("a directory that points at itself or claims too much is survived", async () => {
    expect(await sizesOf(tiff({ main: [[0x8769, 4, 1, u32(8, true)]] }), "a.tif")).toEqual(unknown);
    expect(await sizesOf(bytes("II*\0", u32(8, true), u16(65535, true)), "a.tif")).toEqual(unknown);
  });
});

const full = (type: string, version: number, ...content: Parameters<typeof bytes>) =>
  box(type, version, 0, 0, 0, ...content);

const ispe = (width: number, height: number) => full("ispe", 0, u32(width), u32(height));

function heif(properties: Uint8Array[], indexes: number[], ...more: Uint8Array[]): Uint8Array {
  let ipma = full("ipma", 0, u32(1), u16(7), indexes.length, indexes);
  let iprp = box("iprp", box("ipco", ...properties), ipma);
  return bytes(box("ftyp", "heic", u32(0), "mif1"), full("meta", 0, full("pitm", 0, u16(7)), iprp, ...more));
}

describe("HEIF", () => {
  test("the primary item's size counts, turned by the container alone", async () => {
    let tile = ispe(512, 512);
    expect(await sizesOf(heif([tile, ispe(30, 40)], [2]), "a.heic")).toEqual(upright);
    expect(await sizesOf(heif([tile, ispe(30, 40), box("irot", 3)], [2, 3]), "a.heic")).toEqual(lying);
    expect(
      await sizesOf(heif([tile, ispe(30, 40), box("irot", 2), box("imir", 1)], [2, 3, 4]), "a.heic"),
    ).toEqual(upright);
    expect(await sizesOf(heif([ispe(30, 40), box("irot", 1)], [1]), "a.heic")).toEqual(upright);
  });
  test("the clean aperture is what is displayed", async () => {
    let clap = box("clap", u32(29), u32(1), u32(39), u32(1), u32(0), u32(1), u32(0), u32(1));
    expect(await sizesOf(heif([ispe(30, 40), clap, box("irot", 1)], [1, 2, 3]), "a.heic")).toEqual([
      "39x29",
      "30x40",
    ]);
  });
  test("EXIF inside the meta box is read, and its orientation does not turn the picture", async () => {
    let item = bytes(u32(6), "Exif\0\0", turned);
    let infe = full("infe", 2, u16(9), u16(0), "Exif", 0);
    let iloc = full("iloc", 1, 0x44, 0x00, u16(1), u16(9), u16(1), u16(0), u16(1), u32(0), u32(item.length));
    let file = heif([ispe(30, 40)], [1], full("iinf", 0, u16(1), infe), iloc, box("idat", item));
    expect(await sizesOf(file, "a.heic")).toEqual(upright);
    expect((await inspectBytes(file, "a.heic")).found.metadata["orientation"]).toBe(6);
  });
});

const element = (id: number[], ...content: Parameters<typeof bytes>) => {
  let body = bytes(...content);
  return bytes(id, 0x40 | (body.length >> 8), body.length & 255, body);
};

function track(matrix: number[], handler = "vide"): Uint8Array {
  let tkhd = box(
    "tkhd",
    new Uint8Array(40),
    matrix.flatMap((value) => u32(value)),
    u32(30 * 65536),
    u32(40 * 65536),
  );
  return box("trak", tkhd, box("mdia", box("hdlr", new Uint8Array(8), handler, new Uint8Array(12))));
}

describe("film", () => {
  let ftyp = box("ftyp", "isom", u32(0));
  let one = 65536;
  let straight = [one, 0, 0, 0, one, 0, 0, 0, 2 ** 30];
  let quarter = [0, one, 0, -one, 0, 0, 0, 0, 2 ** 30];
  let mvhd = box("mvhd", new Uint8Array(12), u32(1000), u32(2500), new Uint8Array(80));
  test("MP4: the first picture track, turned by its matrix", async () => {
    expect(
      await sizesOf(bytes(ftyp, box("moov", mvhd, track(straight, "soun"), track(straight))), "a.mp4"),
    ).toEqual(upright);
    let file = bytes(ftyp, box("mdat", new Uint8Array(900_000)), box("moov", mvhd, track(quarter)));
    expect(await sizesOf(file, "a.mp4")).toEqual(lying);
    expect((await inspectBytes(file, "a.mp4")).found.metadata["duration_s"]).toBe(2.5);
  });
  test("WebM: pixel size, and lengths that are not known", async () => {
    let video = element([0xe0], element([0xb0], 30), element([0xba], 40));
    let tracks = element([0x16, 0x54, 0xae, 0x6b], element([0xae], video));
    let header = element([0x1a, 0x45, 0xdf, 0xa3], element([0x42, 0x82], "webm"));
    for (let length of [
      [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0x01, 0, 0, 0, 0, 0, 0, tracks.length],
    ]) {
      expect(await sizesOf(bytes(header, [0x18, 0x53, 0x80, 0x67], length, tracks), "a.webm")).toEqual(
        upright,
      );
    }
  });
});

describe("SVG", () => {
  const CASES: [attributes: string, size: string][] = [
    ['width="30" height="40"', "30x40"],
    ['width="30px" height="40.4"', "30x40"],
    ['width="2in" height="72pt"', "192x96"],
    ['width="2.54cm" height="25.4mm"', "96x96"],
    ['width="1pc" height="1e1"', "16x10"],
    ['width="100%" height="100%" viewBox="0 0 640 480"', "640x480"],
    ['viewBox="-5,-5 33.3, 44.6"', "33x45"],
    ['width="200" viewBox="0 0 100 50"', "200x100"],
    ['height="200" viewBox="0 0 100 50"', "400x200"],
    ["width='&#51;0' height='40'", "30x40"],
    ['data-width="9" title="a > b" width="30" height="40"', "30x40"],
    ['width="0" height="40"', "nullxnull"],
    ['width="-3" height="40"', "nullxnull"],
    ["", "nullxnull"],
  ];
  for (let [attributes, size] of CASES) {
    test(`${attributes} is ${size}`, async () => {
      let file = `<?xml version="1.0"?><!-- <svg width="1"> --><!DOCTYPE svg [<!ENTITY n ">">]><x:svg xmlns:x="n" ${attributes}><a width="7"/></x:svg>`;
      expect((await sizesOf(bytes(file), "a.svg"))[0]).toBe(size);
    });
  }
  test("hostile markup costs no time", async () => {
    let spentMs = await cpuMsOf(async () => {
      for (let filler of ["a", "a ", "a=", "a='", "<!--", "]", '"', "&#1;"]) {
        await sizesOf(bytes(`<svg ${filler.repeat(60_000)}`), "a.svg");
      }
    });
    expect(spentMs).toBeLessThan(1000);
  });
});
