/** A finished file of which only some bytes are in memory. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Bytes that are in memory, as many as follow one another from `offset`, at most `length`; empty when none are. */
  peek(offset: number, length: number): Uint8Array;
  /**
   * Like peek, and goes to the stored file for what is not in memory. Shorter than `length` at the end of the file and
   * where the bytes could not be had; never rejects. What it returns must not be written to.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

const nothing = new Uint8Array(0);

/** A file that is in memory as a whole. */
export function memorySource(bytes: Uint8Array): ByteSource {
  let peek = (offset: number, length: number) =>
    offset < 0 || length <= 0 ? nothing : bytes.subarray(offset, offset + length);
  return {
    sizeBytes: bytes.byteLength,
    peek,
    read: (offset, length) => Promise.resolve(peek(offset, length)),
  };
}

/** Some ranges of another source, one after the other, as one file. */
export function joinedSource(source: ByteSource, parts: { offset: number; length: number }[]): ByteSource {
  let sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  function locate(offset: number, length: number): { offset: number; length: number }[] {
    let found: { offset: number; length: number }[] = [];
    let start = 0;
    let wanted = length;
    for (let part of parts) {
      let inside = offset - start;
      start += part.length;
      if (inside < 0 || inside >= part.length || wanted <= 0) continue;
      let take = Math.min(wanted, part.length - inside);
      found.push({ offset: part.offset + inside, length: take });
      offset += take;
      wanted -= take;
    }
    return found;
  }
  return {
    sizeBytes,
    peek: (offset, length) =>
      join(
        locate(offset, length).map((at) => ({
          bytes: source.peek(at.offset, at.length),
          wanted: at.length,
        })),
      ),
    async read(offset, length) {
      let pieces: { bytes: Uint8Array; wanted: number }[] = [];
      for (let at of locate(offset, length)) {
        pieces.push({ bytes: await source.read(at.offset, at.length), wanted: at.length });
      }
      return join(pieces);
    },
  };
}

/** Up to and with the first piece that is shorter than wanted. */
function join(pieces: { bytes: Uint8Array; wanted: number }[]): Uint8Array {
  let cut = pieces.findIndex((piece) => piece.bytes.byteLength < piece.wanted);
  let whole = cut < 0 ? pieces : pieces.slice(0, cut + 1);
  return concat(whole.map((piece) => piece.bytes));
}

/** All bytes in one array; the very same array when there is only one. */
export function concat(pieces: Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] ?? nothing;
  let whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (let piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
