/**
 * EXIF as it is found is hostile: counts of four thousand million, pointers in circles, 60,000-character texts, megabytes
 * of maker notes at the end of a gigabyte. exifr never sees that. From the directories IFD0, Exif and GPS the entries that
 * can be shown are copied into a small classic TIFF block of our own, with text already cut and made UTF-8.
 */
import type { TiffPlace } from "../facts.ts";
import { maxDirectoryBytes, maxTextBytes, maxValueBytes } from "./limits.ts";
import { commentText, fieldText, utf16Text } from "./text.ts";
import {
  type Entry,
  numberOf,
  openTiff,
  readDirectory,
  readValue,
  type Tiff,
  TYPE,
} from "./tiff-directory.ts";

const TAG = { exif: 0x8769, gps: 0x8825, userComment: 0x9286 };
const POINTER_TYPES = new Set([TYPE.long, TYPE.ifd, TYPE.long8, TYPE.ifd8]);
/** Windows writes titles and keywords into IFD0 as UTF-16 bytes. */
const UTF16_TAGS = new Set([0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f]);
const COMMENT_TAGS = new Set([TAG.userComment, 0x1b, 0x1c]);
/** Strip and tile tables, thumbnails, colour tables, XMP, IPTC, Photoshop, ICC, maker notes, further directories. */
const UNWANTED_TAGS = new Set([
  TAG.exif,
  TAG.gps,
  0x111,
  0x117,
  0x118,
  0x119,
  0x140,
  0x144,
  0x145,
  0x14a,
  0x15b,
  0x201,
  0x202,
  0x207,
  0x208,
  0x209,
  0x2bc,
  0x83bb,
  0x8649,
  0x8773,
  0x927c,
  0xa005,
  0xc4a5,
  0xea1c,
]);
/** When the picture was taken and digitised, each with its offset. */
const TIME_TAGS = new Set([0x9003, 0x9004, 0x9011, 0x9012]);
const entryBytes = 12;

interface Field {
  tag: number;
  type: number;
  count: number;
  value: Uint8Array;
}

/** @returns a TIFF block of at most 80 KiB without pointers to anything else; null when there is no readable EXIF. */
export async function compactTiff(place: TiffPlace, keepPosition: boolean): Promise<Uint8Array | null> {
  let tiff = await openTiff(place);
  if (!tiff) return null;
  let main = await readDirectory(tiff, tiff.firstDirectory);
  let directories = [await fieldsOf(tiff, main)];
  for (let pointer of keepPosition ? [TAG.exif, TAG.gps] : [TAG.exif]) {
    let apart = pointer === TAG.exif ? place.exposure : place.gps;
    directories.push(
      apart ? await fieldsApart(apart, tiff.littleEndian) : await fieldsAt(tiff, main, pointer),
    );
  }
  let [image = [], exposure = [], ...gps] = directories;
  // Raw photos and scans may have the time beside the size; as everybody else, exifr looks for it in the Exif directory.
  let times = image.filter(({ tag }) => TIME_TAGS.has(tag) && !exposure.some((one) => one.tag === tag));
  let all = [image.filter(({ tag }) => !TIME_TAGS.has(tag)), [...exposure, ...times], ...gps];
  return all.some((fields) => fields.length > 0) ? writeBlock(tiff, all) : null;
}

/** Of the directory to which an entry leads. */
async function fieldsAt(tiff: Tiff, main: Entry[], pointer: number): Promise<Field[]> {
  let entry = main.find((one) => one.tag === pointer && POINTER_TYPES.has(one.type));
  let offset = entry ? numberOf(tiff, entry) : null;
  if (offset === null || offset === tiff.firstDirectory) return [];
  return fieldsOf(tiff, await readDirectory(tiff, offset));
}

/** Of a block of its own; numbers keep their bytes, so their order has to be that of the main block. */
async function fieldsApart(place: TiffPlace, littleEndian: boolean): Promise<Field[]> {
  let tiff = await openTiff(place);
  if (tiff?.littleEndian !== littleEndian) return [];
  return fieldsOf(tiff, await readDirectory(tiff, tiff.firstDirectory));
}

async function fieldsOf(tiff: Tiff, entries: Entry[]): Promise<Field[]> {
  let fields: Field[] = [];
  let bytesLeft = maxDirectoryBytes;
  for (let entry of entries) {
    if (UNWANTED_TAGS.has(entry.tag)) continue;
    let field = await fieldOf(tiff, entry);
    if (!field || field.value.byteLength + entryBytes > bytesLeft) continue;
    bytesLeft -= field.value.byteLength + entryBytes;
    fields.push(field);
  }
  return fields;
}

async function fieldOf(tiff: Tiff, entry: Entry): Promise<Field | null> {
  let { tag, type } = entry;
  let isComment = COMMENT_TAGS.has(tag) && type === TYPE.undefined;
  let isString = type === TYPE.ascii || type === TYPE.utf8;
  let isText = isString || isComment || (UTF16_TAGS.has(tag) && type === TYPE.byte);
  if (entry.valueBytes === 0 || (!isText && entry.valueBytes > maxValueBytes)) return null;
  let view = await readValue(tiff, entry, Math.min(entry.valueBytes, maxTextBytes));
  if (!view) return null;
  let bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (isComment) return textField(tag, commentText(bytes, tiff.littleEndian));
  if (isString) return textField(tag, fieldText(bytes));
  if (isText) return textField(tag, utf16Text(bytes, true));
  // "0232" and its like; other bytes of no type are for machines.
  if (type === TYPE.undefined && bytes.byteLength > 1) {
    let isPlain = /^[\x20-\x7e]+\0*$/.test(Buffer.from(bytes).toString("latin1"));
    return isPlain ? textField(tag, fieldText(bytes)) : null;
  }
  return type === TYPE.byte && bytes.byteLength > 1 ? null : numberField(tiff, entry, bytes);
}

function textField(tag: number, text: string): Field | null {
  if (text === "") return null;
  let value = new TextEncoder().encode(`${text}\0`);
  return { tag, type: TYPE.ascii, count: value.byteLength, value };
}

/** Numbers keep their bytes; BigTIFF's 64-bit integers are narrowed to what classic TIFF has. */
function numberField(tiff: Tiff, entry: Entry, bytes: Uint8Array): Field | null {
  let { tag, type, count } = entry;
  if (type < TYPE.long8) return { tag, type, count, value: bytes };
  let number = type === TYPE.slong8 ? null : numberOf(tiff, entry);
  if (number === null || number >= 2 ** 32) return null;
  let value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, number, tiff.littleEndian);
  return { tag, type: TYPE.long, count: 1, value };
}

function writeBlock(tiff: Tiff, [main = [], exif = [], gps = []]: Field[][]): Uint8Array {
  let pointers = [
    { tag: TAG.exif, fields: exif },
    { tag: TAG.gps, fields: gps },
  ].filter(({ fields }) => fields.length > 0);
  let sizeOf = (fields: Field[], more = 0) =>
    6 +
    (fields.length + more) * entryBytes +
    fields.reduce((sum, { value }) => sum + value.byteLength + (value.byteLength & 1), 0);
  let block = new Uint8Array(8 + sizeOf(main, pointers.length) + sizeOf(exif) + sizeOf(gps));
  let view = new DataView(block.buffer);
  view.setUint16(0, tiff.littleEndian ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, tiff.littleEndian);
  view.setUint32(4, 8, tiff.littleEndian);
  let next = 8 + sizeOf(main, pointers.length);
  let links: Field[] = [];
  for (let { tag, fields } of pointers) {
    let value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, next, tiff.littleEndian);
    links.push({ tag, type: TYPE.long, count: 1, value });
    writeDirectory(view, next, fields, tiff.littleEndian);
    next += sizeOf(fields);
  }
  writeDirectory(view, 8, [...main, ...links], tiff.littleEndian);
  return block;
}

function writeDirectory(view: DataView, offset: number, fields: Field[], littleEndian: boolean): void {
  let block = new Uint8Array(view.buffer);
  view.setUint16(offset, fields.length, littleEndian);
  let at = offset + 2;
  let valuesAt = at + fields.length * entryBytes + 4;
  for (let { tag, type, count, value } of fields) {
    view.setUint16(at, tag, littleEndian);
    view.setUint16(at + 2, type, littleEndian);
    view.setUint32(at + 4, count, littleEndian);
    if (value.byteLength <= 4) {
      block.set(value, at + 8);
    } else {
      view.setUint32(at + 8, valuesAt, littleEndian);
      block.set(value, valuesAt);
      valuesAt += value.byteLength + (value.byteLength & 1);
    }
    at += entryBytes;
  }
}
