import { type ByteSource, joinedSource } from "../byte-source.ts";
import { readView } from "../bytes.ts";
import {
  type Entry,
  numberOf,
  openTiff,
  readDirectory,
  readValue,
  type Tiff,
} from "../exif/tiff-directory.ts";
import { type FileFacts, type PixelSize, plausibleSize } from "../facts.ts";
import { readJpeg } from "./jpeg.ts";

const TAG = {
  right: 0x7,
  bottom: 0x6,
  left: 0x5,
  top: 0x4,
  width: 0x100,
  height: 0x101,
  subDirectories: 0x14a,
};
/** One for the raw data, the others for previews. */
const maxSubDirectories = 8;

/**
 * Raw photos are TIFF files whose first directory is often a preview: the largest picture of it and the directories below
 * it is the photo.
 */
export async function readRawPhoto(source: ByteSource): Promise<FileFacts> {
  let place = { source, offset: 0, length: source.sizeBytes };
  let tiff = await openTiff(place);
  if (!tiff) return {};
  let first = await readDirectory(tiff, tiff.firstDirectory);
  let stored = sizeOf(tiff, first) ?? panasonicSize(tiff, first);
  for (let offset of await offsetsOf(tiff, first)) {
    let size = sizeOf(tiff, await readDirectory(tiff, offset));
    if (size && (!stored || size.width * size.height > stored.width * stored.height)) stored = size;
  }
  return { stored, tiff: place };
}

/** Fujifilm's raw photos: what they tell stands in the JPEG picture inside. */
export async function readFujifilm(source: ByteSource): Promise<FileFacts> {
  let header = await readView(source, 84, 8);
  if (!header) return {};
  let preview = { offset: header.getUint32(0), length: header.getUint32(4) };
  return readJpeg(joinedSource(source, [preview]));
}

function sizeOf(tiff: Tiff, entries: Entry[]): PixelSize | null {
  return plausibleSize(valueOf(tiff, entries, TAG.width), valueOf(tiff, entries, TAG.height));
}

/** The sensor's borders in tags of its own. */
function panasonicSize(tiff: Tiff, entries: Entry[]): PixelSize | null {
  let [left, top] = [valueOf(tiff, entries, TAG.left), valueOf(tiff, entries, TAG.top)];
  return plausibleSize(valueOf(tiff, entries, TAG.right) - left, valueOf(tiff, entries, TAG.bottom) - top);
}

function valueOf(tiff: Tiff, entries: Entry[], tag: number): number {
  let entry = entries.find((one) => one.tag === tag);
  return (entry && numberOf(tiff, entry)) ?? 0;
}

/** Of the directories below this one, which are always 32-bit. */
async function offsetsOf(tiff: Tiff, entries: Entry[]): Promise<number[]> {
  let entry = entries.find((one) => one.tag === TAG.subDirectories);
  if (!entry || entry.valueBytes !== entry.count * 4) return [];
  let count = Math.min(entry.count, maxSubDirectories);
  let view = await readValue(tiff, entry, count * 4);
  return view ? Array.from({ length: count }, (_, at) => view.getUint32(at * 4, tiff.littleEndian)) : [];
}
