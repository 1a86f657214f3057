import { brotliDecompressSync } from "node:zlib";

import { KIB } from "../../units.ts";
import { type ByteSource, memorySource } from "../byte-source.ts";
import { hasAscii, readView } from "../bytes.ts";
import { type FileFacts, type PixelSize, plausibleSize, swapSides, type TiffPlace } from "../facts.ts";
import { boxesIn } from "./boxes.ts";

const headerBytes = 16;
const maxExifBytes = 512 * KIB;
const codestreamSign = "\xff\x0a";
/** Width to height, by the number in the header. */
const RATIOS = [1, 1, 12 / 10, 4 / 3, 3 / 2, 16 / 9, 5 / 4, 2];
/** Bits of a side, by the number in front of it. */
const SIDE_BITS = [9, 13, 18, 30];

interface Range {
  offset: number;
  end: number;
}

/** JPEG XL, bare or in boxes: the codestream itself says how it is turned, and EXIF does not count. */
export async function readJxl(source: ByteSource): Promise<FileFacts> {
  if (hasAscii(await source.read(0, 2), codestreamSign)) return readCodestream(source, 0);
  let picture: FileFacts | null = null;
  let tiff: TiffPlace | null = null;
  let packed: Range | null = null;
  for await (let box of boxesIn(source, { offset: 0, end: source.sizeBytes })) {
    if (box.type === "jxlc") picture ??= await readCodestream(source, box.offset);
    // Parts have their number in front.
    if (box.type === "jxlp") picture ??= await readCodestream(source, box.offset + 4);
    if (box.type === "Exif") tiff ??= await exifOf(source, box);
    if (box.type === "brob") packed ??= await packedExifOf(source, box);
  }
  // Only one is unpacked, whatever becomes of it: a few bytes may stand for as many as are let through.
  return { ...picture, tiff: tiff ?? (packed && (await unpack(source, packed))) };
}

/** The block stands behind as many bytes as the first number says. */
async function exifOf(source: ByteSource, { offset, end }: Range): Promise<TiffPlace | null> {
  let start = await readView(source, offset, 4);
  let at = offset + 4 + (start?.getUint32(0) ?? 0);
  return start && { source, offset: at, length: Math.max(0, end - at) };
}

/** Behind the name of the box that it was. */
async function packedExifOf(source: ByteSource, { offset, end }: Range): Promise<Range | null> {
  return hasAscii(await source.read(offset, 4), "Exif") ? { offset: offset + 4, end } : null;
}

async function unpack(source: ByteSource, { offset, end }: Range): Promise<TiffPlace | null> {
  if (end - offset > maxExifBytes) return null;
  let packed = await source.read(offset, end - offset);
  try {
    let exif = memorySource(brotliDecompressSync(packed, { maxOutputLength: maxExifBytes }));
    return await exifOf(exif, { offset: 0, end: exif.sizeBytes });
  } catch {
    return null;
  }
}

async function readCodestream(source: ByteSource, offset: number): Promise<FileFacts> {
  let header = await source.read(offset, headerBytes);
  if (!hasAscii(header, codestreamSign)) return {};
  let bits = bitsOf(header.subarray(2));
  let stored = readSize(bits);
  let isUsual = bits(1) === 1;
  let orientation = !isUsual && bits(1) === 1 ? bits(3) + 1 : 1;
  return { stored, displayed: stored && orientation >= 5 ? swapSides(stored) : stored };
}

function readSize(bits: (count: number) => number): PixelSize | null {
  let isSmall = bits(1) === 1;
  let side = () => (isSmall ? (bits(5) + 1) * 8 : bits(SIDE_BITS[bits(2)] ?? 0) + 1);
  let height = side();
  let ratio = bits(3);
  let width = ratio === 0 ? side() : Math.floor(height * (RATIOS[ratio] ?? 1));
  return plausibleSize(width, height);
}

/** Reads numbers of a few bits each, the lowest first; beyond the end they are 0. */
function bitsOf(bytes: Uint8Array): (count: number) => number {
  let at = 0;
  return (count) => {
    let value = 0;
    for (let bit = 0; bit < count; bit++, at++) value += (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) * 2 ** bit;
    return value;
  };
}
