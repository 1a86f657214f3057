import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { type FileFacts, plausibleSize } from "../facts.ts";

const searchedBytes = 256 * KIB;
const sequenceHeader = Buffer.from([0, 0, 1, 0xb3]);

/** MPEG-1 and MPEG-2, also in program streams: the first sequence header, two sides of twelve bits. */
export async function readMpeg(source: ByteSource): Promise<FileFacts> {
  let bytes = Buffer.from(await source.read(0, searchedBytes));
  let at = bytes.indexOf(sequenceHeader);
  if (at < 0 || at + 7 > bytes.byteLength) return {};
  let sides = bytes.readUIntBE(at + 4, 3);
  return { stored: plausibleSize(sides >> 12, sides & 0xfff) };
}
