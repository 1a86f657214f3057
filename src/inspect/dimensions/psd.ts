import type { ByteSource } from "../byte-source.ts";
import { latin1, readView } from "../bytes.ts";
import { type FileFacts, plausibleSize, type TiffPlace } from "../facts.ts";

const colourTableAt = 26;
const exifResource = 0x422;
/** Programs write some dozens. */
const maxResources = 200;

/** Photoshop's two formats: the header has the size, a resource the EXIF block. */
export async function readPsd(source: ByteSource): Promise<FileFacts> {
  let header = await readView(source, 14, 8);
  if (!header) return {};
  return { stored: plausibleSize(header.getUint32(4), header.getUint32(0)), tiff: await findExif(source) };
}

async function findExif(source: ByteSource): Promise<TiffPlace | null> {
  let colours = await readView(source, colourTableAt, 4);
  let at = colourTableAt + 4 + (colours?.getUint32(0) ?? 0);
  let section = await readView(source, at, 4);
  if (!colours || !section) return null;
  at += 4;
  let end = at + section.getUint32(0);
  for (let count = 0; count < maxResources && at + 12 <= end; count++) {
    let start = await readView(source, at, 7);
    if (!start || latin1(start, 0, 4) !== "8BIM") return null;
    // A name with its length in front, in an even number of bytes.
    at += 6 + ((start.getUint8(6) + 2) & ~1);
    let size = await readView(source, at, 4);
    if (!size) return null;
    let length = size.getUint32(0);
    if (start.getUint16(4) === exifResource) return { source, offset: at + 4, length };
    at += 4 + length + (length & 1);
  }
  return null;
}
