import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { latin1, peekView, readView, viewOf } from "../bytes.ts";
import { type FileFacts, plausibleSize, type TiffPlace } from "../facts.ts";
import { isRawProfile, unpackRawProfile } from "./png-raw-profile.ts";

const maxChunks = 20_000;
const maxTextChunkBytes = 512 * KIB;
/** EXIF behind picture data that is not in memory is looked for here, from the end of the file. */
const tailScanBytes = 64 * KIB;
const chunkOverheadBytes = 12;
const TEXT_CHUNKS = new Set(["tEXt", "zTXt", "iTXt"]);

interface Chunk {
  type: string;
  offset: number;
  length: number;
}

/** IHDR has the size; EXIF is an eXIf chunk anywhere, or a text chunk as ImageMagick writes it. */
export async function readPng(source: ByteSource): Promise<FileFacts> {
  let start = await readView(source, 0, 33);
  if (!start) return {};
  // Apple's CgBI chunk stands before IHDR in pictures from iOS applications.
  let header = latin1(start, 12, 4) === "IHDR" ? 16 : latin1(start, 12, 4) === "CgBI" ? 32 : -1;
  let size = header < 0 ? null : await readView(source, header, 8);
  if (!size) return {};
  return { stored: plausibleSize(size.getUint32(0), size.getUint32(4)), tiff: await findExif(source) };
}

async function findExif(source: ByteSource): Promise<TiffPlace | null> {
  let offset = 8;
  let inPicture = false;
  let profile: Chunk | null = null;
  for (let count = 0; count < maxChunks; count++) {
    // Picture data is never fetched only to get past it.
    let header = inPicture ? peekView(source, offset, 8) : await readView(source, offset, 8);
    if (!header) {
      let found = scanTail(source);
      if (found) return found;
      break;
    }
    let chunk = { type: latin1(header, 4, 4), offset: offset + 8, length: header.getUint32(0) };
    if (chunk.type === "IDAT") inPicture = true;
    if (chunk.type === "IEND") break;
    if (chunk.type === "eXIf") return toPlace(source, chunk);
    if (!profile && TEXT_CHUNKS.has(chunk.type) && (await isProfile(source, chunk))) profile = chunk;
    offset += chunk.length + chunkOverheadBytes;
  }
  // Only one is unpacked, whatever becomes of it: a few bytes may stand for as many as are let through.
  return profile && (await readProfile(source, profile));
}

function toPlace(source: ByteSource, chunk: Chunk): TiffPlace {
  let start = peekView(source, chunk.offset, 6);
  let skip = start && latin1(start, 0, 5) === "Exif\0" ? 6 : 0;
  return { source, offset: chunk.offset + skip, length: Math.max(0, chunk.length - skip) };
}

async function isProfile(source: ByteSource, chunk: Chunk): Promise<boolean> {
  if (chunk.length > maxTextChunkBytes) return false;
  let keyword = await readView(source, chunk.offset, Math.min(chunk.length, 32));
  return keyword !== null && isRawProfile(latin1(keyword, 0, 32));
}

async function readProfile(source: ByteSource, chunk: Chunk): Promise<TiffPlace | null> {
  let content = await source.read(chunk.offset, chunk.length);
  return content.byteLength === chunk.length ? unpackRawProfile(chunk.type, content) : null;
}

/** An eXIf chunk near the end whose check sum is right: the chunks before it could not be walked. */
function scanTail(source: ByteSource): TiffPlace | null {
  let start = Math.max(8, source.sizeBytes - tailScanBytes);
  let bytes = source.peek(start, tailScanBytes);
  let buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let view = viewOf(bytes);
  for (let at = buffer.indexOf("eXIf"); at >= 0; at = buffer.indexOf("eXIf", at + 4)) {
    if (at < 4) continue;
    let length = view.getUint32(at - 4);
    let end = at + 4 + length;
    if (end + 4 > bytes.byteLength) continue;
    if (Bun.hash.crc32(bytes.subarray(at, end)) !== view.getUint32(end)) continue;
    return toPlace(source, { type: "eXIf", offset: start + at + 4, length });
  }
  return null;
}
