import type { ByteSource } from "../byte-source.ts";
import { readView } from "../bytes.ts";
import { type FileFacts, type PixelSize, plausibleSize } from "../facts.ts";

const maxPictures = 64;
const entryBytes = 16;

/** Icons and cursors: the largest of their pictures. */
export async function readIco(source: ByteSource): Promise<FileFacts> {
  let header = await readView(source, 0, 6);
  let count = Math.min(header?.getUint16(4, true) ?? 0, maxPictures);
  let table = await source.read(6, count * entryBytes);
  let largest: PixelSize | null = null;
  for (let at = 0; at + entryBytes <= table.byteLength; at += entryBytes) {
    // A byte has no room for 256.
    let size = plausibleSize(table[at] || 256, table[at + 1] || 256);
    if (size && (!largest || size.width * size.height > largest.width * largest.height)) largest = size;
  }
  return { stored: largest };
}
