import { describe, expect, test } from "bun:test";

import { bytes, u16, u32 } from "../support/images.ts";
import { inspectBytes, sizesOf } from "./inspect-bytes.ts";

const upright = ["30x40", "30x40"];
const unknown = ["nullxnull", "undefinedxundefined"];

async function durationOf(content: Uint8Array, name: string): Promise<unknown> {
  return (await inspectBytes(content, name)).found.metadata["duration_s"];
}

function hex(digits: string): Uint8Array {
  return Buffer.from(digits, "hex");
}

const scriptNumber = (name: string, value: number) => {
  let eight = Buffer.alloc(8);
  eight.writeDoubleBE(value);
  return bytes(u16(name.length), name, 0, eight);
};
const flv = (...values: Uint8Array[]) => {
  let script = bytes(2, u16(10), "onMetaData", 8, u32(values.length), ...values, 0, 0, 9);
  let tag = bytes(18, u32(script.length).slice(1), new Uint8Array(7), script, u32(script.length + 11));
  return bytes("FLV", 1, 5, u32(9), u32(0), tag, new Uint8Array(40));
};
const packet = (stream: number, flags: number, ...content: (number | number[] | Uint8Array)[]) => {
  let head = bytes(0x47, u16(stream | (flags << 8)), 0x10, ...content);
  return bytes(head, new Uint8Array(188 - head.length).fill(0xff));
};
describe("Flash video", () => {
  const whole = flv(scriptNumber("duration", 2.5), scriptNumber("width", 30), scriptNumber("height", 40));

  test("has the size and the duration that its writer gives", async () => {
    expect(await sizesOf(whole, "a.flv")).toEqual(upright);
    expect(await durationOf(whole, "a.flv")).toBe(2.5);
  });

  test("has none where the writer gives none, or where it was cut", async () => {
    let live = flv(scriptNumber("duration", 0), scriptNumber("width", 0), scriptNumber("height", 0));
    for (let file of [live, flv(), whole.subarray(0, 80)]) {
      expect(await sizesOf(file, "a.flv")).toEqual(unknown);
    }
    expect(await durationOf(live, "a.flv")).toBe(undefined);
  });
});

describe("MPEG transport streams", () => {
  const start = 0x40;
  /** A table in one packet: where it begins, its number and length, what it is of, its entries, a checksum. */
  const table = (stream: number, id: number, ...entries: number[]) =>
    packet(stream, start, 0, id, u16(0xb000 | (entries.length + 9)), u16(1), 0xc1, 0, 0, entries, u32(0));
  const programs = table(0, 0, ...u16(0), ...u16(0xe010), ...u16(1), ...u16(0xf000));
  /** A descriptor of the program, a sound track with a descriptor of its own, and the pictures. */
  const tracks = (codec: number) =>
    table(
      0x1000,
      2,
      ...u16(0xe100),
      ...u16(0xf002),
      5,
      0,
      0x0f,
      0xe1,
      1,
      0xf0,
      2,
      10,
      0,
      codec,
      0xe1,
      0,
      0xf0,
      0,
    );
  const stream = (codec: number, unit: Uint8Array) => {
    let pes = bytes([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0], [0, 0, 1, 9, 0xf0], [0, 0, 1], unit, [0, 0, 1]);
    let other = packet(0x101, start, [0, 0, 1, 0xb3, 0x0f, 0x0f, 0x0f]);
    // Half of the set of parameters is in the next packet.
    let parts = [pes.subarray(0, 20), pes.subarray(20)].map((part, index) => {
      let stuffing = 183 - part.length;
      let head = bytes(0x47, u16(0x100 | (index ? 0 : 0x4000)), 0x30, stuffing, 0);
      return bytes(head, new Uint8Array(stuffing - 1).fill(0xff), part);
    });
    return bytes(programs, tracks(codec), other, ...parts, packet(0x1fff, 0));
  };
  // As x264, x265 wrote them.
  const cases: [string, number, Uint8Array, string][] = [
    ["H.264, cut to less than whole blocks", 0x1b, hex("6764000dacd94141feab0110"), "318x238"],
    [
      "H.264 in fields, of 4:2:2",
      0x1b,
      hex("677a0028b6cd94078044fcb8088000000300800000190f8b16cb00"),
      "1920x1080",
    ],
    ["H.265", 0x24, hex("42010101600000030090000003000003003ca00a080f1d565959a4932bc0"), "318x238"],
    [
      "H.265 of ten bits",
      0x24,
      hex("420101022000000300900000030000030078a003c08010e4d96566924caf01"),
      "1920x1080",
    ],
    ["MPEG-2", 0x02, bytes([0xb3, 0x01, 0xe0, 0x28, 0x13]), "30x40"],
  ];

  for (let [what, codec, unit, size] of cases) {
    test(`have the size of their pictures: ${what}`, async () => {
      let file = stream(codec, unit);
      expect(await sizesOf(file, "a.ts")).toEqual([size, size]);
      let timed = Array.from({ length: file.length / 188 }, (_, at) => [
        u32(at),
        file.subarray(at * 188, at * 188 + 188),
      ]).flat();
      expect(await sizesOf(bytes(...timed), "a.m2ts")).toEqual([size, size]);
    });
  }

  test("have none when the set of parameters is cut, or a table is missing", async () => {
    let [, codec, unit] = cases[0] ?? ["", 0, hex("")];
    expect(await sizesOf(stream(codec, unit.subarray(0, 5)), "a.ts")).toEqual(unknown);
    expect(await sizesOf(stream(codec, unit).subarray(188), "a.ts")).toEqual(unknown);
    expect(await sizesOf(stream(0x0f, unit), "a.ts")).toEqual(unknown);
  });
});

const key = (digits: string) => hex(digits.padEnd(32, "0"));
const item = (tag: number, ...value: (number | number[] | Uint8Array)[]) => {
  let content = bytes(...value);
  return bytes(u16(tag), u16(content.length), content);
};
const klv = (name: Uint8Array, content: Uint8Array) =>
  bytes(name, 0x83, u32(content.length).slice(1), content);
const uid = (id: number) => new Uint8Array(16).fill(id);
const set = (kind: number, ...items: Uint8Array[]) =>
  klv(key(`060e2b34025301010d0101010101${kind.toString(16).padStart(2, "0")}`), bytes(...items));
const sequence = (id: number, content: string, length: number[]) =>
  set(0x0f, item(0x3c0a, uid(id)), item(0x0201, key(content)), item(0x0202, length));
const track = (id: number, rate: number) => set(0x3b, item(0x4803, uid(id)), item(0x4b01, u32(rate), u32(1)));
const mxf = (length: number[], ...sizes: Uint8Array[]) =>
  bytes(
    klv(key("060e2b34020501010d0102010102040"), new Uint8Array(88)),
    track(1, 48_000),
    sequence(1, "060e2b340401010101030202020", [...u32(0), ...u32(9)]),
    track(2, 25),
    sequence(2, "060e2b340401010101030202010", length),
    set(0x51, ...sizes),
  );
const side = (tag: number, value: number) => item(tag, u32(value));
const known = [...u32(0), ...u32(50)];

describe("MXF", () => {
  test("has the size that is shown, of both fields together, and the duration of its pictures", async () => {
    let file = mxf(
      known,
      side(0x3203, 32),
      side(0x3202, 24),
      side(0x3209, 30),
      side(0x3208, 20),
      item(0x320c, 1),
    );
    expect(await sizesOf(file, "a.mxf")).toEqual(["30x40", "32x48"]);
    expect(await durationOf(file, "a.mxf")).toBe(2);
    expect(await sizesOf(mxf(known, side(0x3203, 30), side(0x3202, 40)), "a.mxf")).toEqual(upright);
  });

  test("has no duration before its writer knew it, and no size where it was cut", async () => {
    let open = mxf([...u32(0xffffffff), ...u32(0xffffffff)], side(0x3203, 30), side(0x3202, 40));
    expect(await durationOf(open, "a.mxf")).toBe(undefined);
    expect(await sizesOf(open.subarray(0, -1), "a.mxf")).toEqual(unknown);
  });
});
