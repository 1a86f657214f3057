/** The tables of a HEIF meta box, each read from its content (version and flags first). */
import { latin1, uint64 } from "../bytes.ts";

const maxItems = 8192;

/** ipma: the property numbers (from 1) of one item, or null when it has none. */
export function readAssociations(table: DataView, itemId: number): number[] | null {
  let version = table.getUint8(0);
  let wide = (table.getUint8(3) & 1) === 1;
  let read = createReader(table, 4);
  let entries = Math.min(read.uint(4), maxItems);
  for (let entry = 0; entry < entries; entry++) {
    let id = read.uint(version < 1 ? 2 : 4);
    let count = read.uint(1);
    let indexes: number[] = [];
    for (let at = 0; at < count; at++) indexes.push(wide ? read.uint(2) & 0x7fff : read.uint(1) & 0x7f);
    if (read.ended()) return null;
    if (id === itemId) return indexes;
  }
  return null;
}

/** iinf: the id of the first item of type Exif, or null. */
export function readExifItem(table: DataView): number | null {
  let read = createReader(table, 4);
  let entries = Math.min(read.uint(table.getUint8(0) === 0 ? 2 : 4), maxItems);
  for (let entry = 0; entry < entries && !read.ended(); entry++) {
    let start = read.position();
    let size = read.uint(4);
    read.uint(4);
    let version = read.uint(4) >>> 24;
    let id = read.uint(version < 3 ? 2 : 4);
    read.uint(2);
    if (!read.ended() && version >= 2 && latin1(table, read.position(), 4) === "Exif") return id;
    if (size < 12) return null;
    read.moveTo(start + size);
  }
  return null;
}

export interface ItemLocation {
  /** From the start of the file, or of the idat box's content. */
  offset: number;
  /** 0: up to the end. */
  length: number;
  inIdat: boolean;
}

/** iloc: where the first extent of an item lies, or null; EXIF is never written in pieces. */
export function readLocation(table: DataView, itemId: number): ItemLocation | null {
  let version = table.getUint8(0);
  let read = createReader(table, 4);
  let sizes = read.uint(2);
  let [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  let indexBytes = version === 0 ? 0 : sizes & 15;
  let items = Math.min(read.uint(version < 2 ? 2 : 4), maxItems);
  for (let item = 0; item < items && !read.ended(); item++) {
    let id = read.uint(version < 2 ? 2 : 4);
    let method = version === 0 ? 0 : read.uint(2) & 15;
    read.uint(2);
    let base = read.uint(baseBytes);
    let extents = read.uint(2);
    for (let extent = 0; extent < extents && !read.ended(); extent++) {
      read.uint(indexBytes);
      let offset = base + read.uint(offsetBytes);
      let length = read.uint(lengthBytes);
      if (id !== itemId) continue;
      return read.ended() || method > 1 ? null : { offset, length, inIdat: method === 1 };
    }
  }
  return null;
}

/** Reads unsigned numbers one after the other; beyond the end they are 0 and `ended` is true. */
function createReader(view: DataView, start: number) {
  let at = start;
  let beyond = false;
  return {
    uint(bytes: number): number {
      let from = at;
      at += bytes;
      if (at > view.byteLength) {
        beyond = true;
        return 0;
      }
      if (bytes === 8) return uint64(view, from);
      let value = 0;
      for (let index = from; index < at; index++) value = value * 256 + view.getUint8(index);
      return value;
    },
    position: () => at,
    moveTo(offset: number) {
      at = offset;
    },
    ended: () => beyond || at > view.byteLength,
  };
}
