import { KIB, MIB } from "../units.ts";

/** Reads a range of the stored file; may give fewer bytes and may reject. */
export type FetchRange = (offset: number, length: number) => Promise<Uint8Array>;

/** What one file may cost in ranged reads of the bucket. */
export const maxFetchReads = 16;
export const maxFetchBytes = 1 * MIB;
const pageBytes = 64 * KIB;

interface Page {
  offset: number;
  bytes: Uint8Array;
}

export interface Pages {
  /** Bytes of a fetched page from `offset` on; empty when no page has them. */
  held(offset: number, length: number): Uint8Array;
  /** Fetches the page that begins at `offset`; false when there is nothing to be had there. */
  fetch(offset: number, length: number): Promise<boolean>;
}

/** Fetched ranges of one file, within maxFetchReads and maxFetchBytes. A failed read only makes facts absent. */
export function createPages(sizeBytes: number, fetchRange: FetchRange | undefined): Pages {
  let pages: Page[] = [];
  let reads = 0;
  let bytesLeft = maxFetchBytes;
  return {
    held(offset, length) {
      let page = pages.find((one) => offset >= one.offset && offset < one.offset + one.bytes.byteLength);
      if (!page) return new Uint8Array(0);
      return page.bytes.subarray(offset - page.offset, offset - page.offset + length);
    },
    async fetch(offset, length) {
      let size = Math.min(Math.max(length, pageBytes), sizeBytes - offset, bytesLeft);
      if (!fetchRange || reads >= maxFetchReads || size <= 0) return false;
      reads++;
      bytesLeft -= size;
      try {
        let bytes = (await fetchRange(offset, size)).subarray(0, size);
        if (bytes.byteLength > 0) pages.push({ offset, bytes });
        return bytes.byteLength > 0;
      } catch {
        return false;
      }
    },
  };
}
