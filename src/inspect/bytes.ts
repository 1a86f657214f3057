import type { ByteSource } from "./byte-source.ts";

/** Exactly `length` bytes from `offset`, or null. */
export async function readView(source: ByteSource, offset: number, length: number): Promise<DataView | null> {
  let held = source.peek(offset, length);
  let bytes = held.byteLength === length ? held : await source.read(offset, length);
  return bytes.byteLength === length ? viewOf(bytes) : null;
}

/** Exactly `length` bytes that are in memory already, or null. */
export function peekView(source: ByteSource, offset: number, length: number): DataView | null {
  let bytes = source.peek(offset, length);
  return bytes.byteLength === length ? viewOf(bytes) : null;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `length` bytes as characters U+0000 to U+00FF; shorter at the end of the view. */
export function latin1(view: DataView, offset: number, length: number): string {
  let text = "";
  for (let at = offset; at < Math.min(offset + length, view.byteLength); at++) {
    text += String.fromCharCode(view.getUint8(at));
  }
  return text;
}

/** Whether `bytes` has the characters of `text` at `offset`. */
export function hasAscii(bytes: Uint8Array, text: string, offset = 0): boolean {
  if (offset + text.length > bytes.byteLength) return false;
  for (let at = 0; at < text.length; at++) {
    if (bytes[offset + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** An unsigned 64-bit number; beyond 2^53 it loses its last digits, as an offset it is out of every file then. */
export function uint64(view: DataView, offset: number, littleEndian = false): number {
  let [high, low] = littleEndian ? [offset + 4, offset] : [offset, offset + 4];
  return view.getUint32(high, littleEndian) * 2 ** 32 + view.getUint32(low, littleEndian);
}
