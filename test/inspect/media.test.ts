import { describe, expect, test } from "bun:test";

import { bytes, riff, u16, u32 } from "../support/images.ts";
import { inspectBytes, sizesOf } from "./inspect-bytes.ts";

const upright = ["30x40", "30x40"];

async function durationOf(content: Uint8Array, name: string): Promise<unknown> {
  return (await inspectBytes(content, name)).found.metadata["duration_s"];
}

const le = (value: number) => u32(value, true);

describe("films of older kinds have their size:", () => {
  test("AVI, with the duration", async () => {
    let main = bytes(
      le(40_000),
      new Uint8Array(12),
      le(75),
      new Uint8Array(12),
      le(30),
      le(40),
      new Uint8Array(16),
    );
    let file = riff("AVI ", ["LIST", bytes("hdrlavih", le(main.length), main)]);
    expect(await sizesOf(file, "a.avi")).toEqual(upright);
    expect(await durationOf(file, "a.avi")).toBe(3);
  });

  test("MPEG, by the first sequence header", async () => {
    let pack = bytes([0, 0, 1, 0xba, 0x21], new Uint8Array(300));
    expect(await sizesOf(bytes(pack, [0, 0, 1, 0xb3, 0x01, 0xe0, 0x28, 0x13]), "a.mpg")).toEqual(upright);
    expect(await sizesOf(bytes(pack, [0, 0, 1, 0xb3, 0x01]), "a.mpg")).toEqual([
      "nullxnull",
      "undefinedxundefined",
    ]);
  });

  test("WMV, with the duration", async () => {
    let object = (name: string, content: Uint8Array) =>
      bytes(Buffer.from(name.padEnd(32, "0"), "hex"), le(content.length + 24), le(0), content);
    let times = bytes(new Uint8Array(40), le(30_000_000), le(0), new Uint8Array(8), le(1000), le(0));
    let video = bytes(
      Buffer.from("c0ef19bc4d5bcf11".padEnd(32, "0"), "hex"),
      new Uint8Array(38),
      le(30),
      le(40),
    );
    let objects = bytes(object("a1dcab8c47a9cf11", times), object("9107dcb7b7a9cf11", video));
    let start = Buffer.from("3026b2758e66cf11a6d900aa0062ce6c", "hex");
    let file = bytes(start, le(30 + objects.length), le(0), le(2), 1, 2, objects);
    expect(await sizesOf(file, "a.wmv")).toEqual(upright);
    expect(await durationOf(file, "a.wmv")).toBe(2);
  });
});

describe("sound tells its duration:", () => {
  let format = bytes(u16(1, true), u16(2, true), le(48_000), le(192_000), u16(4, true), u16(16, true));
  let sound = new Uint8Array(96_000);
  test("WAV, cut as well", async () => {
    let file = riff("WAVE", ["fmt ", format], ["LIST", bytes("INFO")], ["data", sound]);
    expect(await durationOf(file, "a.wav")).toBe(0.5);
    expect(await durationOf(file.subarray(0, -48_000), "a.wav")).toBe(0.25);
  });

  test("WAV of more than 4 GiB, by the size that stands in front", async () => {
    let sizes = bytes(new Uint8Array(8), le(96_000), le(0), new Uint8Array(12));
    let body = riff("WAVE", ["ds64", sizes], ["fmt ", format]).subarray(12);
    let file = bytes("RF64", le(0xffffffff), "WAVE", body, "data", le(0xffffffff), sound);
    expect(await durationOf(file, "a.wav")).toBe(0.5);
  });

  test("FLAC", async () => {
    // 20 bits of rate, 8 of channels and depth, 36 of samples.
    let info = bytes(new Uint8Array(10), [0x0b, 0xb8, 0x02, 0xf0], u32(24_000), new Uint8Array(16));
    expect(await durationOf(bytes("fLaC", [0x80, 0, 0, 34], info), "a.flac")).toBe(0.5);
    expect(await durationOf(bytes("fLaC", [0x80, 0, 0, 34]), "a.flac")).toBe(undefined);
  });
});
