import { KIB } from "../units.ts";
import { type ByteSource, concat } from "./byte-source.ts";
import { createPages, type FetchRange } from "./fetched-pages.ts";
import { createTail } from "./tail.ts";

/** Of 268 real and made files 32 KiB sufficed for all but two; the rest is room for colour profiles and thumbnails. */
export const defaultHeadBytes = 256 * KIB;
/** Where encoders put what they write last: a film's index, a TIFF's directory, a PNG's EXIF. 16 KiB sufficed there. */
export const defaultTailBytes = 64 * KIB;

const firstBlockBytes = 16 * KIB;
const nothing = new Uint8Array(0);

/** Keeps the first and the last bytes of a stream of any length. */
export interface HeadTail {
  /** Sees every chunk of the stream in order, and keeps copies. */
  push(chunk: Uint8Array): void;
  /** Bytes seen so far. */
  readonly sizeBytes: number;
  /** True once further bytes can't change `head()`. */
  readonly headIsFull: boolean;
  /** What the head holds so far, until the next push; the whole file as long as `sizeBytes` is no larger. */
  head(): Uint8Array;
  /** The file after its last chunk. `fetchRange` reads what is neither in head nor tail (see fetched-pages.ts). */
  source(fetchRange?: FetchRange): ByteSource;
}

/**
 * @param options.headBytes,tailBytes bytes kept; memory stays below headBytes + 2 × tailBytes
 * @param options.expectedBytes the whole stream's, when that is known: what can't be its tail is then not copied, which saves
 *   6 % of the CPU of an upload. A wrong number does no harm but to a tail that comes early.
 */
export function createHeadTail(
  options: { headBytes?: number; tailBytes?: number; expectedBytes?: number | null } = {},
): HeadTail {
  let { headBytes = defaultHeadBytes, tailBytes = defaultTailBytes, expectedBytes } = options;
  let tailStart = (expectedBytes ?? 0) - tailBytes;
  let block = new Uint8Array(0);
  let headLength = 0;
  let sizeBytes = 0;
  let tail = createTail(tailBytes);

  function keepHead(bytes: Uint8Array): void {
    let needed = headLength + bytes.byteLength;
    if (needed > block.byteLength) {
      let grown = Math.min(headBytes, Math.max(needed, 2 * block.byteLength, firstBlockBytes));
      block = new Uint8Array(block.buffer.transfer(grown));
    }
    block.set(bytes, headLength);
    headLength = needed;
  }

  return {
    push(chunk) {
      sizeBytes += chunk.byteLength;
      let room = headBytes - headLength;
      if (room > 0) keepHead(chunk.subarray(0, room));
      if (chunk.byteLength > room && sizeBytes > tailStart)
        tail.push(room > 0 ? chunk.subarray(room) : chunk);
    },
    get sizeBytes() {
      return sizeBytes;
    },
    get headIsFull() {
      return headLength >= headBytes;
    },
    head: () => block.subarray(0, headLength),
    source(fetchRange) {
      let head = block.subarray(0, headLength);
      let end = tail.bytes();
      return createSource(sizeBytes, head, end, fetchRange);
    },
  };
}

/**
 * The file after its last chunk, from pieces that were read on their own: as `createHeadTail` gives it when it has seen
 * every byte.
 *
 * @param pieces the first `defaultHeadBytes`, and of what is behind them the last `defaultTailBytes`
 */
export function sourceOfPieces(
  pieces: { sizeBytes: number; head: Uint8Array; tail: Uint8Array },
  fetchRange?: FetchRange,
): ByteSource {
  return createSource(pieces.sizeBytes, pieces.head, pieces.tail, fetchRange);
}

/** A finished file of which the head is in memory, and perhaps the tail. */
export function createSource(
  sizeBytes: number,
  head: Uint8Array,
  tail: Uint8Array,
  fetchRange: FetchRange | undefined,
): ByteSource {
  let tailStart = sizeBytes - tail.byteLength;
  let pages = createPages(sizeBytes, fetchRange);

  function held(offset: number, length: number): Uint8Array {
    if (offset < head.byteLength) return head.subarray(offset, offset + length);
    if (offset >= tailStart) return tail.subarray(offset - tailStart, offset - tailStart + length);
    return pages.held(offset, length);
  }

  function peek(offset: number, length: number): Uint8Array {
    let wanted = Math.min(length, sizeBytes - offset);
    if (offset < 0 || !(wanted > 0)) return nothing;
    let first = held(offset, wanted);
    if (first.byteLength === wanted || first.byteLength === 0) return first;
    return concat([first, peek(offset + first.byteLength, wanted - first.byteLength)]);
  }

  return {
    sizeBytes,
    peek,
    async read(offset, length) {
      let wanted = offset < 0 ? 0 : Math.min(length, sizeBytes - offset);
      let found = peek(offset, wanted);
      // Each round either fetches a page, of which there are few, or ends the loop.
      while (found.byteLength < wanted) {
        let fetched = await pages.fetch(offset + found.byteLength, wanted - found.byteLength);
        if (!fetched) break;
        found = peek(offset, wanted);
      }
      return found;
    },
  };
}
