import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { type FileFacts, type PixelSize, plausibleSize } from "../facts.ts";

const searchedBytes = 256 * KIB;
const sequenceHeader = Buffer.from([0, 0, 1, 0xb3]);

/** MPEG-1 and MPEG-2, also in program streams. */
export async function readMpeg(source: ByteSource): Promise<FileFacts> {
  return { stored: sequenceSize(Buffer.from(await source.read(0, searchedBytes))) };
}

/** By the first sequence header: two sides of twelve bits. */
export function sequenceSize(stream: Buffer): PixelSize | null {
  let at = stream.indexOf(sequenceHeader);
  if (at < 0 || at + 7 > stream.byteLength) return null;
  let sides = stream.readUIntBE(at + 4, 3);
  return plausibleSize(sides >> 12, sides & 0xfff);
}
