/** What phones and cameras write into a film about where, when and with what it was made. */
import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { hasAscii, latin1, readView } from "../bytes.ts";
import { isoDate } from "../exif/dates.ts";
import { type Position, tidyDegrees } from "../exif/position.ts";
import { fieldText } from "../exif/text.ts";
import { type Box, boxContent, boxesIn, findBoxes } from "./boxes.ts";

const maxKeysBytes = 16 * KIB;
const maxValueBytes = 1 * KIB;
const maxKeys = 64;
const dataHeaderBytes = 8;
const fixedPoint = 65536;
/** Android's place: a length and a language in front of the text. */
const textHeaderBytes = 4;

export interface FilmTags {
  position?: Position | null;
  recordedAt?: string | null;
  make?: string | undefined;
  model?: string | undefined;
}

export async function readFilmTags(source: ByteSource, moov: Box): Promise<FilmTags> {
  let { udta, meta } = Object.fromEntries(await findBoxes(source, moov, ["udta", "meta"]));
  let below = udta ? Object.fromEntries(await findBoxes(source, udta, ["\u00a9xyz", "loci", "meta"])) : {};
  let keys = await readKeys(source, meta ?? below["meta"]);
  let ofKey = (name: string) => keys.get(`com.apple.quicktime.${name}`) ?? keys.get(`com.android.${name}`);
  let xyz = below["\u00a9xyz"];
  let place = ofKey("location.ISO6709") ?? (xyz && (await readText(source, xyz, textHeaderBytes)));
  return {
    position: place ? parsePosition(place) : below["loci"] ? await readLoci(source, below["loci"]) : null,
    recordedAt: isoDate(ofKey("creationdate")?.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")),
    make: ofKey("make") ?? ofKey("manufacturer"),
    model: ofKey("model"),
  };
}

/** Names and values stand in two lists; a value says by its number which name it has. */
async function readKeys(source: ByteSource, meta: Box | undefined): Promise<Map<string, string>> {
  let values = new Map<string, string>();
  if (!meta) return values;
  // QuickTime writes no version in front, MP4 does.
  let isPlain = hasAscii(await source.read(meta.offset + 4, 4), "hdlr");
  let range = { offset: meta.offset + (isPlain ? 0 : 4), end: meta.end };
  let { keys, ilst } = Object.fromEntries(await findBoxes(source, range, ["keys", "ilst"]));
  let names = keys && ilst ? await readNames(source, keys) : [];
  if (!ilst || names.length === 0) return values;
  for await (let item of boxesIn(source, ilst)) {
    let number = await readView(source, item.offset - 4, 4);
    let name = number && names[number.getUint32(0) - 1];
    let data = (await findBoxes(source, item, ["data"])).get("data");
    let value = name && data && (await readText(source, data, dataHeaderBytes));
    if (name && value && !values.has(name)) values.set(name, value);
  }
  return values;
}

async function readNames(source: ByteSource, keys: Box): Promise<string[]> {
  let table = await boxContent(source, keys, maxKeysBytes);
  if (!table) return [];
  let names: string[] = [];
  for (let at = 8; at + 8 <= table.byteLength && names.length < maxKeys;) {
    let size = table.getUint32(at);
    if (size < 8) break;
    names.push(latin1(table, at + 8, size - 8));
    at += size;
  }
  return names;
}

async function readText(source: ByteSource, box: Box, skip: number): Promise<string> {
  let length = Math.min(box.end - box.offset - skip, maxValueBytes);
  return fieldText(await source.read(box.offset + skip, length));
}

/** Of 3GPP: a language, a name that ends with NUL, a role, then fixed-point numbers, longitude first. */
async function readLoci(source: ByteSource, loci: Box): Promise<Position | null> {
  let content = await boxContent(source, loci, maxValueBytes);
  let start = content ? latin1(content, 6, content.byteLength).indexOf("\0") + 8 : 0;
  if (!content || start + 8 > content.byteLength) return null;
  return onEarth(content.getInt32(start + 4) / fixedPoint, content.getInt32(start) / fixedPoint);
}

/** ISO 6709 in decimal degrees: `+48.2082+016.3738+171.000/`. */
function parsePosition(text: string): Position | null {
  let parts = /^([+-]\d{1,2}(?:\.\d{1,10})?)([+-]\d{1,3}(?:\.\d{1,10})?)(?=[+\-/]|CRS|$)/.exec(text.trim());
  return parts && onEarth(Number(parts[1]), Number(parts[2]));
}

function onEarth(latitude: number, longitude: number): Position | null {
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return null;
  return { latitude: tidyDegrees(latitude), longitude: tidyDegrees(longitude) };
}
