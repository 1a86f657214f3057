import type { ByteSource } from "../byte-source.ts";
import { latin1, peekView, readView } from "../bytes.ts";
import { type FileFacts, type PixelSize, plausibleSize, type TiffPlace } from "../facts.ts";

const maxChunks = 4096;
const hasExifFlag = 0x08;

/** The three kinds of WebP: lossy (VP8), lossless (VP8L), extended (VP8X). */
export async function readWebp(source: ByteSource): Promise<FileFacts> {
  let start = await readView(source, 12, 18);
  if (!start) return {};
  let extended = latin1(start, 0, 4) === "VP8X";
  let flagged = extended && (start.getUint8(8) & hasExifFlag) !== 0;
  return { stored: sizeOf(start), tiff: await findExif(source, flagged) };
}

function sizeOf(start: DataView): PixelSize | null {
  let uint24 = (at: number) => start.getUint16(at, true) | (start.getUint8(at + 2) << 16);
  switch (latin1(start, 0, 4)) {
    case "VP8X":
      return plausibleSize(uint24(12) + 1, uint24(15) + 1);
    case "VP8L": {
      if (start.getUint8(8) !== 0x2f) return null;
      let bits = start.getUint32(9, true);
      return plausibleSize((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    case "VP8 ":
      if (uint24(11) !== 0x2a019d) return null;
      return plausibleSize(start.getUint16(14, true) & 0x3fff, start.getUint16(16, true) & 0x3fff);
    default:
      return null;
  }
}

/** @param flagged the header promises EXIF: worth reading from storage; else only what is in memory is looked at */
async function findExif(source: ByteSource, flagged: boolean): Promise<TiffPlace | null> {
  let offset = 12;
  for (let count = 0; count < maxChunks; count++) {
    let header = flagged ? await readView(source, offset, 8) : peekView(source, offset, 8);
    if (!header) return null;
    let length = header.getUint32(4, true);
    if (latin1(header, 0, 4) === "EXIF") {
      let start = await readView(source, offset + 8, Math.min(6, length));
      let skip = start && latin1(start, 0, 5) === "Exif\0" ? 6 : 0;
      return { source, offset: offset + 8 + skip, length: Math.max(0, length - skip) };
    }
    offset += 8 + length + (length % 2);
  }
  return null;
}
