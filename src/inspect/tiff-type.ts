import { memorySource } from "./byte-source.ts";
import { hasAscii, latin1 } from "./bytes.ts";
import {
  type Entry,
  numberOf,
  openTiff,
  readDirectory,
  readValue,
  type Tiff,
} from "./exif/tiff-directory.ts";
import type { Recognised } from "./media-type.ts";

const TAG = { subfileType: 0xfe, make: 0x10f, subDirectories: 0x14a, dngVersion: 0xc612 };
const maxMakeBytes = 32;

/** Raw photos of cameras are TIFF files; what a name says, where the bytes don't. */
const BY_EXTENSION: Record<string, string> = {
  dng: "image/x-adobe-dng",
  nef: "image/x-nikon-nef",
  nrw: "image/x-nikon-nef",
  arw: "image/x-sony-arw",
  sr2: "image/x-sony-arw",
  cr2: "image/x-canon-cr2",
  pef: "image/x-pentax-pef",
  srw: "image/x-samsung-srw",
  "3fr": "image/x-hasselblad-3fr",
  iiq: "image/x-phaseone-iiq",
};
const BY_MAKE: [RegExp, Recognised][] = [
  [/^NIKON/i, { type: "image/x-nikon-nef", extension: "nef" }],
  [/^SONY/i, { type: "image/x-sony-arw", extension: "arw" }],
];

/**
 * What kind of TIFF, or null when it is none. file-type takes every TIFF with print settings for one of Sony's and every
 * one with 28 entries for one of Nikon's.
 */
export async function tiffType(head: Uint8Array, extension: string): Promise<Recognised | null> {
  if (!hasAscii(head, "II*\0") && !hasAscii(head, "MM\0*")) return null;
  if (hasAscii(head, "CR\x02", 8)) return { type: "image/x-canon-cr2", extension: "cr2" };
  let source = memorySource(head);
  let tiff = await openTiff({ source, offset: 0, length: source.sizeBytes });
  let entries = tiff ? await readDirectory(tiff, tiff.firstDirectory) : [];
  let find = (tag: number) => entries.find((entry) => entry.tag === tag);
  if (find(TAG.dngVersion)) return { type: "image/x-adobe-dng", extension: "dng" };
  let named = BY_EXTENSION[extension];
  if (named) return { type: named, extension };
  let first = find(TAG.subfileType);
  // A small picture in front and the true one in a directory below it.
  let isPreview = tiff && first && numberOf(tiff, first) === 1 && find(TAG.subDirectories);
  let make = tiff && isPreview ? await makeOf(tiff, find(TAG.make)) : "";
  let raw = BY_MAKE.find(([pattern]) => pattern.test(make));
  return raw?.[1] ?? { type: "image/tiff", extension: "tif" };
}

async function makeOf(tiff: Tiff, entry: Entry | undefined): Promise<string> {
  let view = entry && (await readValue(tiff, entry, Math.min(entry.valueBytes, maxMakeBytes)));
  return view ? latin1(view, 0, view.byteLength) : "";
}
