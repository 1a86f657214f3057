/** Small files made by code, for what no camera writes on demand. */
import { deflateSync } from "node:zlib";

export function bytes(...parts: (number | string | Uint8Array | number[])[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) => {
        if (typeof part === "string") return Buffer.from(part, "latin1");
        return typeof part === "number" ? Buffer.from([part]) : Buffer.from(part);
      }),
    ),
  );
}

export function u16(value: number, littleEndian = false): number[] {
  let pair = [(value >>> 8) & 255, value & 255];
  return littleEndian ? pair.toReversed() : pair;
}

export function u32(value: number, littleEndian = false): number[] {
  let four = [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return littleEndian ? four.toReversed() : four;
}

/** [tag, type, count, value bytes as they stand in the file] */
export type TiffField = [tag: number, type: number, count: number, value: Uint8Array | number[]];

export interface TiffParts {
  main?: TiffField[];
  exif?: TiffField[];
  gps?: TiffField[];
}

export function ascii(tag: number, text: string): TiffField {
  let value = Buffer.from(`${text}\0`, "latin1");
  return [tag, 2, value.length, value];
}

export function short(tag: number, value: number, littleEndian = true): TiffField {
  return [tag, 3, 1, u16(value, littleEndian)];
}

export function rationals(tag: number, ...pairs: [number, number][]): TiffField {
  return [tag, 5, pairs.length, pairs.flat().flatMap((value) => u32(value, true))];
}

/** A classic TIFF block; the directories stand behind `gap` bytes. Values are taken as they are, so mind the byte order. */
export function tiff(parts: TiffParts, { littleEndian = true, gap = 0 } = {}): Uint8Array<ArrayBuffer> {
  let main = [...(parts.main ?? [])];
  let others: [tag: number, fields: TiffField[]][] = [];
  if (parts.exif) others.push([0x8769, parts.exif]);
  if (parts.gps) others.push([0x8825, parts.gps]);
  let start = 8 + gap;
  let next = start + directoryBytes(main) + others.length * 12;
  let blocks: Uint8Array[] = [];
  for (let [tag, fields] of others) {
    main.push([tag, 4, 1, u32(next, littleEndian)]);
    blocks.push(directory(fields, next, littleEndian));
    next += directoryBytes(fields);
  }
  let header = bytes(littleEndian ? "II" : "MM", u16(42, littleEndian), u32(start, littleEndian));
  return bytes(header, new Uint8Array(gap), directory(main, start, littleEndian), ...blocks);
}

function directoryBytes(fields: TiffField[]): number {
  return fields.reduce(
    (sum, [, , , value]) => sum + (value.length > 4 ? value.length : 0),
    6 + 12 * fields.length,
  );
}

function directory(fields: TiffField[], at: number, littleEndian: boolean): Uint8Array {
  let entries: number[] = [];
  let values: number[] = [];
  for (let [tag, type, count, value] of fields) {
    entries.push(...u16(tag, littleEndian), ...u16(type, littleEndian), ...u32(count, littleEndian));
    if (value.length <= 4) {
      entries.push(...value, ...Array.from({ length: 4 - value.length }, () => 0));
    } else {
      entries.push(...u32(at + 6 + 12 * fields.length + values.length, littleEndian));
      for (let byte of value) values.push(byte);
    }
  }
  return bytes(u16(fields.length, littleEndian), entries, u32(0), values);
}

export function jpegSegment(marker: number, content: Uint8Array | string): Uint8Array {
  let body = bytes(content);
  return bytes(0xff, marker, u16(body.length + 2), body);
}

/** A JPEG without picture data: the given segments, then a frame header and the start of a scan. */
export function jpeg(width: number, height: number, ...segments: Uint8Array[]): Uint8Array<ArrayBuffer> {
  let frame = jpegSegment(0xc0, bytes(8, u16(height), u16(width), 3, new Uint8Array(9)));
  return bytes(0xff, 0xd8, ...segments, frame, jpegSegment(0xda, new Uint8Array(10)), 0xff, 0xd9);
}

export function exifSegment(block: Uint8Array): Uint8Array {
  return jpegSegment(0xe1, bytes("Exif\0\0", block));
}

export function pngChunk(type: string, content: Uint8Array | string): Uint8Array {
  let body = bytes(type, content);
  return bytes(u32(body.length - 4), body, u32(Bun.hash.crc32(body)));
}

export function png(width: number, height: number, ...chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  let header = pngChunk("IHDR", bytes(u32(width), u32(height), 8, 2, 0, 0, 0));
  return bytes("\x89PNG\r\n\x1a\n", header, ...chunks, pngChunk("IEND", ""));
}

export function rawProfileText(block: Uint8Array): string {
  let hex = Buffer.from(bytes("Exif\0\0", block)).toString("hex");
  return `\nexif\n    ${hex.length / 2}\n${hex.replace(/(.{72})/g, "$1\n")}\n`;
}

export function deflated(text: string): Uint8Array {
  return deflateSync(Buffer.from(text, "latin1"));
}

export function riff(
  type: string,
  ...chunks: [name: string, content: Uint8Array][]
): Uint8Array<ArrayBuffer> {
  let body = bytes(
    type,
    ...chunks.map(([name, content]) =>
      bytes(name, u32(content.length, true), content, new Uint8Array(content.length % 2)),
    ),
  );
  return bytes("RIFF", u32(body.length, true), body);
}

/** A box of the ISO base media file format. */
export function box(type: string, ...content: (number | string | Uint8Array | number[])[]): Uint8Array {
  let body = bytes(...content);
  return bytes(u32(body.length + 8), type, body);
}
