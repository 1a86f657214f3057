import { type ByteSource, joinedSource } from "../byte-source.ts";
import { latin1, readView } from "../bytes.ts";
import { type FileFacts, type PixelSize, plausibleSize, type TiffPlace } from "../facts.ts";

const maxSegments = 1000;
const exifHeaderBytes = 6;

const MARKER = { startOfScan: 0xda, endOfImage: 0xd9, app1: 0xe1 };
const NOT_FRAMES = new Set([0xc4, 0xc8, 0xcc]);

/** Walks the segments up to the picture data: the frame header has the size, an APP1 the EXIF block. */
export async function readJpeg(source: ByteSource): Promise<FileFacts> {
  let stored: PixelSize | null = null;
  let exifParts: { offset: number; length: number }[] = [];
  let offset = 2;
  for (let segment = 0; segment < maxSegments; segment++) {
    let header = await readView(source, offset, 4);
    if (!header || header.getUint8(0) !== 0xff) {
      // What breaks off before the picture's frame is no picture; its EXIF, half of it perhaps, says nothing.
      if (!stored && (header || offset + 4 > source.sizeBytes)) exifParts = [];
      break;
    }
    let marker = header.getUint8(1);
    if (marker === 0xff) {
      offset += 1; // a fill byte
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      offset += 2;
      continue;
    }
    if (marker === MARKER.startOfScan || marker === MARKER.endOfImage) break;
    let length = header.getUint16(2);
    if (length < 2) break;
    if (marker >= 0xc0 && marker <= 0xcf && !NOT_FRAMES.has(marker)) {
      stored ??= await readFrame(source, offset + 4);
    } else if (marker === MARKER.app1 && length > 2 + exifHeaderBytes) {
      let part = { offset: offset + 4 + exifHeaderBytes, length: length - 2 - exifHeaderBytes };
      if (await isExif(source, offset + 4)) {
        if (exifParts.length === 0 || !(await beginsTiff(source, part.offset))) exifParts.push(part);
      }
    }
    offset += 2 + length;
  }
  return { stored, tiff: toPlace(source, exifParts) };
}

async function readFrame(source: ByteSource, offset: number): Promise<PixelSize | null> {
  let frame = await readView(source, offset, 5);
  return frame && plausibleSize(frame.getUint16(3), frame.getUint16(1));
}

async function isExif(source: ByteSource, offset: number): Promise<boolean> {
  let name = await readView(source, offset, 5);
  return name !== null && latin1(name, 0, 5) === "Exif\0";
}

async function beginsTiff(source: ByteSource, offset: number): Promise<boolean> {
  let start = await readView(source, offset, 4);
  return start !== null && ["II*\0", "MM\0*"].includes(latin1(start, 0, 4));
}

/** EXIF of more than 64 KiB goes on in the next APP1 segments. */
function toPlace(source: ByteSource, parts: { offset: number; length: number }[]): TiffPlace | null {
  let [first] = parts;
  if (!first) return null;
  if (parts.length === 1) return { source, ...first };
  let joined = joinedSource(source, parts);
  return { source: joined, offset: 0, length: joined.sizeBytes };
}
