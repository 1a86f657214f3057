import { parse } from "exifr";

import type { Json } from "../../domain.ts";
import type { TiffPlace } from "../facts.ts";
import { compactTiff } from "./compact-tiff.ts";

const maxNumbersInList = 32;

/** Tags by their EXIF names; numbers, strings and lists of numbers. */
export type Tags = Map<string, Json>;

export interface ExifTags {
  /** Of the main picture: Make, Model, Orientation as a number, … */
  image: Tags;
  /** Of the exposure: DateTimeOriginal, LensModel, ISO, … */
  exposure: Tags;
  /** Empty when positions are not kept. */
  gps: Tags;
}

/** exifr's names and values; dates stay as written, since exifr would read them in the server's time zone. */
const OPTIONS = {
  tiff: true,
  ifd0: { translateValues: false },
  exif: { translateValues: true },
  gps: { translateValues: false },
  ifd1: false,
  interop: false,
  xmp: false,
  icc: false,
  iptc: false,
  userComment: true,
  mergeOutput: false,
  reviveValues: false,
};

/** The tags of a TIFF block; null when it has none that can be read. May reject on what exifr can't digest. */
export async function readExif(place: TiffPlace, keepPosition: boolean): Promise<ExifTags | null> {
  let block = await compactTiff(place, keepPosition);
  if (!block) return null;
  let found: unknown = await parse(block, OPTIONS);
  if (typeof found !== "object" || found === null) return null;
  let parts = new Map<string, unknown>(Object.entries(found));
  let exposure = toTags(parts.get("exif"));
  let comment = toJson(parts.get("userComment"));
  if (comment !== undefined) exposure.set("UserComment", comment);
  let gps = toTags(parts.get("gps"));
  // exifr's own decimals, which take every number for a position.
  gps.delete("latitude");
  gps.delete("longitude");
  return { image: toTags(parts.get("ifd0")), exposure, gps };
}

function toTags(block: unknown): Tags {
  let tags: Tags = new Map();
  if (typeof block !== "object" || block === null) return tags;
  for (let [name, value] of Object.entries(block)) {
    // exifr leaves the number where it knows no name.
    if (!/^[A-Za-z]/.test(name)) continue;
    let json = toJson(value);
    if (json !== undefined) tags.set(name, json);
  }
  return tags;
}

function toJson(value: unknown): Json | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (value instanceof Uint8Array) return value.byteLength === 1 ? value[0] : undefined;
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return undefined;
  if (value instanceof DataView || !("length" in value) || value.length > maxNumbersInList) return undefined;
  // An undefined number (0/0) keeps its place in the list.
  return Array.from(value, (one: unknown) => (typeof one === "number" && Number.isFinite(one) ? one : null));
}
