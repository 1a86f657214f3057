/**
 * H.264 and H.265 tell the size of their pictures in a set of parameters: numbers of a few bits each, most of them of
 * no fixed length. Beyond the end every number is NaN, which no size survives.
 */
import { type PixelSize, plausibleSize } from "../facts.ts";

/** Profiles of H.264 that tell how colours are stored. */
const WITH_COLOURS = new Set([44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244]);
/** More than any set needs up to the size. */
const maxSetBytes = 1024;
const maxReferences = 255;

interface Bits {
  /** An unsigned number of `count` bits. */
  take(count: number): number;
  /** An unsigned number that says itself how long it is. */
  number(): number;
  signed(): number;
}

/** @param unit as it stands in a stream, from the byte that names its kind on */
export function h264Size(unit: Uint8Array): PixelSize | null {
  let bits = bitsOf(unescaped(unit.subarray(1, maxSetBytes)));
  let profile = bits.take(8);
  bits.take(16);
  bits.number();
  let colours = WITH_COLOURS.has(profile) ? skipColours(bits) : 1;
  bits.number();
  let order = bits.number();
  if (order === 0) bits.number();
  if (order === 1) {
    bits.take(1);
    for (let skipped = 0; skipped < 2; skipped++) bits.signed();
    let references = Math.min(bits.number(), maxReferences);
    for (let one = 0; one < references; one++) bits.signed();
  }
  bits.number();
  bits.take(1);
  let width = (bits.number() + 1) * 16;
  let rows = bits.number() + 1;
  let isWholePictures = bits.take(1);
  if (isWholePictures === 0) bits.take(1);
  bits.take(1);
  let height = rows * 16 * (2 - isWholePictures);
  return cut(bits, width, height, colours, 2 - isWholePictures);
}

/** As h264Size. */
export function h265Size(unit: Uint8Array): PixelSize | null {
  let bits = bitsOf(unescaped(unit.subarray(2, maxSetBytes)));
  bits.take(4);
  let layers = bits.take(3);
  bits.take(1 + 96);
  let told: number[] = [];
  for (let layer = 0; layer < layers; layer++) told.push(bits.take(1) * 88 + bits.take(1) * 8);
  if (layers > 0) bits.take(2 * (8 - layers));
  for (let length of told) bits.take(length);
  bits.number();
  let colours = bits.number();
  if (colours === 3) bits.take(1);
  let width = bits.number();
  let height = bits.number();
  return cut(bits, width, height, colours, 1);
}

/** What the codec had to add at the borders is not shown. */
function cut(bits: Bits, width: number, height: number, colours: number, fields: number): PixelSize | null {
  if (bits.take(1) === 0) return plausibleSize(width, height);
  let unitWidth = colours === 1 || colours === 2 ? 2 : 1;
  let unitHeight = (colours === 1 ? 2 : 1) * fields;
  let [left, right] = [bits.number(), bits.number()];
  let [top, bottom] = [bits.number(), bits.number()];
  return plausibleSize(width - unitWidth * (left + right), height - unitHeight * (top + bottom));
}

/** @returns how colours are stored: 0 none, 1 for four pixels, 2 for two, 3 for each */
function skipColours(bits: Bits): number {
  let colours = bits.number();
  if (colours === 3) bits.take(1);
  bits.number();
  bits.number();
  bits.take(1);
  let lists = bits.take(1) === 1 ? (colours === 3 ? 12 : 8) : 0;
  for (let list = 0; list < lists; list++) {
    if (bits.take(1) !== 1) continue;
    let next = 8;
    for (let one = 0; one < (list < 6 ? 16 : 64) && next !== 0; one++)
      next = (next + bits.signed() + 256) % 256;
  }
  return colours;
}

/** A 3 behind two zeros only keeps the stream from looking like the start of a unit. */
function unescaped(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, at) => !(byte === 3 && at > 1 && bytes[at - 1] === 0 && bytes[at - 2] === 0));
}

function bitsOf(bytes: Uint8Array): Bits {
  let at = 0;
  function take(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++, at++) {
      value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    }
    return at > bytes.byteLength * 8 ? Number.NaN : value;
  }
  function number(): number {
    let zeros = 0;
    while (zeros < 32 && take(1) === 0) zeros++;
    return 2 ** zeros - 1 + take(zeros);
  }
  function signed(): number {
    let value = number();
    return value % 2 === 1 ? (value + 1) / 2 : -value / 2;
  }
  return { take, number, signed };
}
