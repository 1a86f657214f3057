import type { ByteSource } from "../byte-source.ts";
import { latin1, readView, uint64 } from "../bytes.ts";

/** Of one box, or of the file; real files have a few dozen at most (fragments of a film aside). */
const maxBoxes = 256;

/** A box of the ISO base media file format (HEIC, AVIF, MP4, MOV): where its content lies. */
export interface Box {
  type: string;
  offset: number;
  end: number;
}

/** The boxes between two offsets, in order, until one is cut or nonsense. */
export async function* boxesIn(
  source: ByteSource,
  range: { offset: number; end: number },
): AsyncIterable<Box> {
  let at = range.offset;
  for (let count = 0; count < maxBoxes && at + 8 <= range.end; count++) {
    let header = await readView(source, at, 8);
    if (!header) return;
    let size = header.getUint32(0);
    let headerBytes = 8;
    if (size === 1) {
      let large = await readView(source, at + 8, 8);
      if (!large) return;
      size = uint64(large, 0);
      headerBytes = 16;
    } else if (size === 0) {
      size = range.end - at;
    }
    if (size < headerBytes) return;
    yield {
      type: latin1(header, 4, 4),
      offset: at + headerBytes,
      end: Math.min(at + size, range.end),
    };
    at += size;
  }
}

/** The boxes of the given types among those between two offsets; the first of each type. */
export async function findBoxes(
  source: ByteSource,
  range: { offset: number; end: number },
  types: string[],
): Promise<Map<string, Box>> {
  let found = new Map<string, Box>();
  for await (let box of boxesIn(source, range)) {
    if (types.includes(box.type) && !found.has(box.type)) found.set(box.type, box);
    if (found.size === types.length) break;
  }
  return found;
}

/** A box's content in memory, at most `maxBytes`; null when it is larger or can't be had. */
export async function boxContent(source: ByteSource, box: Box, maxBytes: number): Promise<DataView | null> {
  let length = box.end - box.offset;
  return length <= maxBytes ? readView(source, box.offset, length) : null;
}
