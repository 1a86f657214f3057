import { readView, uint64 } from "../bytes.ts";
import type { TiffPlace } from "../facts.ts";

/** Cameras write below 100; what comes after these is not looked at. */
const maxEntries = 512;

/** TIFF, and what Olympus ("RO", "RS") and Panasonic ("U") write in its place. */
const CLASSIC_VERSIONS = new Set([42, 0x4f52, 0x5352, 0x55]);
/** Bytes of one value, by TIFF type number. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
export const TYPE = {
  byte: 1,
  ascii: 2,
  short: 3,
  long: 4,
  undefined: 7,
  ifd: 13,
  long8: 16,
  slong8: 17,
  ifd8: 18,
  utf8: 129,
};

export interface Tiff {
  place: TiffPlace;
  littleEndian: boolean;
  big: boolean;
  /** Offsets count from the start of the place. */
  firstDirectory: number;
}

export interface Entry {
  tag: number;
  type: number;
  count: number;
  /** Bytes of the whole value; as large as the file claims. */
  valueBytes: number;
  /** The bytes of the entry's value field: the value itself when it fits, else its offset. */
  field: DataView;
}

/** The header of a TIFF block; null when it is none. */
export async function openTiff(place: TiffPlace): Promise<Tiff | null> {
  let header = await readView(place.source, place.offset, 8);
  if (!header || place.length < 8) return null;
  let order = header.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return null;
  let littleEndian = order === 0x4949;
  let version = header.getUint16(2, littleEndian);
  if (CLASSIC_VERSIONS.has(version)) {
    return { place, littleEndian, big: false, firstDirectory: header.getUint32(4, littleEndian) };
  }
  if (version !== 43 || header.getUint16(4, littleEndian) !== 8) return null;
  let offset = await readView(place.source, place.offset + 8, 8);
  return offset && { place, littleEndian, big: true, firstDirectory: uint64(offset, 0, littleEndian) };
}

/** The entries of one directory, at most maxEntries; fewer or none when it is cut or lies outside. */
export async function readDirectory(tiff: Tiff, offset: number): Promise<Entry[]> {
  let { place, littleEndian, big } = tiff;
  let countBytes = big ? 8 : 2;
  let entryBytes = big ? 20 : 12;
  if (offset < 8 || offset + countBytes > place.length) return [];
  let start = await readView(place.source, place.offset + offset, countBytes);
  if (!start) return [];
  let claimed = big ? uint64(start, 0, littleEndian) : start.getUint16(0, littleEndian);
  let fitting = Math.floor((place.length - offset - countBytes) / entryBytes);
  let count = Math.min(claimed, fitting, maxEntries);
  let table = await place.source.read(place.offset + offset + countBytes, count * entryBytes);
  let view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  let entries: Entry[] = [];
  for (let at = 0; at + entryBytes <= table.byteLength; at += entryBytes) {
    let type = view.getUint16(at + 2, littleEndian);
    let valueCount = big ? uint64(view, at + 4, littleEndian) : view.getUint32(at + 4, littleEndian);
    let field = big
      ? new DataView(table.buffer, table.byteOffset + at + 12, 8)
      : new DataView(table.buffer, table.byteOffset + at + 8, 4);
    let valueBytes = (type === TYPE.utf8 ? 1 : (TYPE_BYTES[type] ?? 0)) * valueCount;
    entries.push({ tag: view.getUint16(at, littleEndian), type, count: valueCount, valueBytes, field });
  }
  return entries;
}

/** The first `length` bytes of an entry's value, or null when they lie outside or can't be read. */
export async function readValue(tiff: Tiff, entry: Entry, length: number): Promise<DataView | null> {
  if (entry.valueBytes <= entry.field.byteLength) {
    return new DataView(entry.field.buffer, entry.field.byteOffset, length);
  }
  let offset = fieldNumber(tiff, entry.field);
  if (offset + length > tiff.place.length) return null;
  return readView(tiff.place.source, tiff.place.offset + offset, length);
}

/** The single unsigned number of an entry, or null. */
export function numberOf(tiff: Tiff, entry: Entry): number | null {
  if (entry.count !== 1) return null;
  switch (entry.type) {
    case TYPE.byte:
      return entry.field.getUint8(0);
    case TYPE.short:
      return entry.field.getUint16(0, tiff.littleEndian);
    case TYPE.long:
    case TYPE.ifd:
      return entry.field.getUint32(0, tiff.littleEndian);
    case TYPE.long8:
    case TYPE.ifd8:
      return tiff.big ? uint64(entry.field, 0, tiff.littleEndian) : null;
    default:
      return null;
  }
}

function fieldNumber(tiff: Tiff, field: DataView): number {
  return tiff.big ? uint64(field, 0, tiff.littleEndian) : field.getUint32(0, tiff.littleEndian);
}
