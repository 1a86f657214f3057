import { describe, expect, test } from "bun:test";

import { extractMetadata } from "../../src/inspect/extract-metadata.ts";
import { createHeadTail } from "../../src/inspect/head-tail.ts";
import { detectMediaType } from "../../src/inspect/media-type.ts";
import { bytes, u16, u32 } from "../support/images.ts";
import { inspectBytes, sizesOf } from "./inspect-bytes.ts";

async function durationOf(content: Uint8Array, name: string): Promise<unknown> {
  return (await inspectBytes(content, name)).found.metadata["duration_s"];
}

const le = (value: number) => u32(value, true);

const aiff = (...chunks: Uint8Array[]) => bytes("FORM", u32(500), "AIFF", ...chunks);

test("AIFF tells its duration", async () => {
  // 44,100 as an 80-bit number.
  let common = bytes(u16(2), u32(22_050), u16(16), u16(0x400e), u32(0xac440000), u32(0));
  let name = bytes("NAME", u32(3), "abc", 0);
  expect(await durationOf(aiff(name, bytes("COMM", u32(18), common)), "a.aiff")).toBe(0.5);
  expect(await durationOf(aiff(name, bytes("COMM", u32(18), common.subarray(0, 12))), "a.aiff")).toBe(
    undefined,
  );
});

/** MPEG-1, layer 3, 44.1 kHz, two channels: of 128 (number 9) or 64 (number 5) kbit/s. */
const frame = (rate: 9 | 5, note: Uint8Array = new Uint8Array(0), noteAt = 36) => {
  let content = new Uint8Array(rate === 9 ? 417 : 208);
  content.set([0xff, 0xfb, rate << 4, 0]);
  content.set(note, noteAt);
  return content;
};

const frames = (count: number, rate: 9 | 5 = 9) => bytes(...Array.from({ length: count }, () => frame(rate)));

describe("MP3 tells its duration", () => {
  const frameSeconds = 1152 / 44_100;
  const rounded = (count: number) => Math.round(count * frameSeconds * 1000) / 1000;
  const title = bytes("ID3", 3, 0, 0, [0, 0, 2, 0x10], new Uint8Array(0x110));
  const oldTitle = bytes("TAG", new Uint8Array(125));

  test("as the encoder wrote it into the first frame, behind a title", async () => {
    let xing = bytes("Info", u32(3), u32(1000), u32(2000));
    expect(await durationOf(bytes(title, frame(9, xing), frames(9)), "a.mp3")).toBe(rounded(1000));
    let vbri = bytes("VBRI", new Uint8Array(6), u32(2000), u32(1000));
    expect(await durationOf(bytes(frame(9, vbri), frames(9)), "a.mp3")).toBe(rounded(1000));
  });

  test("not when the encoder wrote of more bytes than there are", async () => {
    let xing = bytes("Xing", u32(3), u32(1000), u32(400_000));
    expect(await durationOf(bytes(frame(9, xing), frames(9)), "a.mp3")).toBe(undefined);
  });

  test("by its frames, when all can be looked at", async () => {
    let file = bytes(title, frames(10), frames(10, 5), oldTitle);
    expect(await durationOf(file, "a.mp3")).toBe(rounded(20));
    expect(await durationOf(file.subarray(0, -300), "a.mp3")).toBe(rounded(19));
  });

  test("by its bit rate, when that is the same at both ends", async () => {
    // 417 bytes are a little less than such a frame takes.
    let long = bytes(title, frames(1000));
    let seconds = (417_000 * 8) / 128_000;
    expect(await durationOf(long, "a.mp3")).toBeCloseTo(seconds, 2);
    expect(await durationOf(bytes(long, oldTitle), "a.mp3")).toBeCloseTo(seconds, 2);
    for (let other of [frames(400, 5), new Uint8Array(100_000), bytes(frames(1), new Uint8Array(2000))]) {
      expect(await durationOf(bytes(long, other), "a.mp3")).toBe(undefined);
    }
  });

  test("behind a picture that is larger than what is at hand, without reading the file for less", async () => {
    let reads: number[] = [];
    let look = async (file: Uint8Array) => {
      let headTail = createHeadTail();
      headTail.push(file);
      let source = headTail.source((offset, length) => {
        reads.push(offset);
        return Promise.resolve(file.slice(offset, offset + length));
      });
      let media = await detectMediaType(headTail.head(), false, "a.mp3");
      return (await extractMetadata(source, media, { keepPosition: true })).metadata["duration_s"];
    };
    expect(await look(bytes(title, frames(1000)))).toBeCloseTo((417_000 * 8) / 128_000, 2);
    expect(reads).toEqual([]);
    let picture = bytes("ID3", 3, 0, 0, [0, 0x18, 0, 0], new Uint8Array(0x18 << 14));
    expect(await look(bytes(picture, frames(1000)))).toBeCloseTo((417_000 * 8) / 128_000, 2);
    expect(reads).toEqual([picture.length]);
  });

  test("not when it is none", async () => {
    expect(await durationOf(bytes(title, new Uint8Array(400_000).fill(0xff)), "a.mp3")).toBe(undefined);
    expect(await durationOf(bytes(title, frame(9)), "a.mp3")).toBe(undefined);
  });
});

describe("Ogg tells", () => {
  const page = (serial: number, position: number, content: Uint8Array, flags = 0) =>
    bytes("OggS", 0, flags, le(position), le(0), le(serial), le(0), le(0), 1, content.length, content);
  const first = (serial: number, packet: Uint8Array) => page(serial, 0, packet, 2);
  const vorbis = bytes("\x01vorbis", le(0), 2, le(48_000), new Uint8Array(14));
  const opus = bytes("OpusHead", 1, 2, u16(312, true), le(44_100), new Uint8Array(3));
  const flac = bytes(
    "\x7fFLAC",
    1,
    0,
    u16(1),
    "fLaC",
    new Uint8Array(14),
    [0x0b, 0xb8, 0x02, 0xf0],
    new Uint8Array(20),
  );
  const speex = bytes("Speex   ", new Uint8Array(28), le(48_000), new Uint8Array(40));
  const sound = new Uint8Array(200);
  const file = (packet: Uint8Array, start: number, end: number) =>
    bytes(first(7, packet), page(7, 0, sound), page(7, start, sound), page(7, end, sound));

  for (let [what, packet, skipped] of [
    ["Vorbis", vorbis, 0],
    ["Opus, of which the start is not heard", opus, 312],
    ["FLAC", flac, 0],
    ["Speex", speex, 0],
  ] as const) {
    test(`the duration of ${what}`, async () => {
      let whole = file(packet, 900, 24_000 + skipped);
      expect(await durationOf(whole, "a.ogg")).toBe(0.5);
      // Up to the last page whose beginning is there.
      expect(await durationOf(whole.subarray(0, -220), "a.ogg")).toBe(
        Math.round((900 - skipped) / 48) / 1000,
      );
    });
  }

  test("no duration when it was cut out of a broadcast, or others stand behind it", async () => {
    expect(await durationOf(file(vorbis, 48_000 * 3600, 48_000 * 3601), "a.ogg")).toBe(undefined);
    let other = bytes(first(8, vorbis), page(8, 900, sound));
    expect(await durationOf(bytes(file(vorbis, 900, 24_000), other), "a.ogg")).toBe(undefined);
    expect(await durationOf(first(7, vorbis), "a.ogg")).toBe(undefined);
  });

  test("the size of pictures, and the duration of the longest stream", async () => {
    // 32 by 48 stored, 30 by 40 shown, 25 a second; 6 bits of the position count from the last whole picture.
    let numbers = [u16(2), u16(3), [0, 0, 30], [0, 0, 40], [0, 0], u32(25), u32(1), new Uint8Array(10)];
    let theora = bytes("\x80theora", 3, 2, 1, ...numbers, u16(6 << 5));
    let position = (48 << 6) | 2;
    let film = bytes(
      first(7, theora),
      first(8, vorbis),
      page(7, 1, sound),
      page(8, 900, sound),
      page(7, position, sound),
      page(8, 24_000, sound),
    );
    expect(await sizesOf(film, "a.ogv")).toEqual(["30x40", "30x40"]);
    expect(await durationOf(film, "a.ogv")).toBe(2);
  });
});
