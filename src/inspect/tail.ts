import { KIB } from "../units.ts";
import { concat } from "./byte-source.ts";

const smallChunkBytes = 4 * KIB;
const openBlockBytes = 16 * KIB;

/** The last bytes of a stream. Chunks are kept by reference where that keeps no more memory alive than needed. */
export function createTail(tailBytes: number): { push(chunk: Uint8Array): void; bytes(): Uint8Array } {
  let chunks: Uint8Array[] = [];
  let keptBytes = 0;
  /** Small chunks are gathered here, so that a dripping sender does not make a list of thousands. */
  let open = new Uint8Array(0);
  let openLength = 0;

  function closeOpen(): void {
    if (openLength > 0) chunks.push(open.subarray(0, openLength));
    open = new Uint8Array(0);
    openLength = 0;
  }

  function keepSmall(chunk: Uint8Array): void {
    if (openLength + chunk.byteLength > open.byteLength) {
      closeOpen();
      open = new Uint8Array(openBlockBytes);
    }
    open.set(chunk, openLength);
    openLength += chunk.byteLength;
  }

  function keepLarge(chunk: Uint8Array): void {
    closeOpen();
    let last = chunk.byteLength > tailBytes ? chunk.subarray(chunk.byteLength - tailBytes) : chunk;
    // A view of a much larger buffer would keep all of that buffer alive.
    chunks.push(last.buffer.byteLength > 2 * last.byteLength ? last.slice() : last);
    keptBytes += last.byteLength - chunk.byteLength;
  }

  return {
    push(chunk) {
      if (chunk.byteLength === 0 || tailBytes === 0) return;
      keptBytes += chunk.byteLength;
      if (chunk.byteLength < smallChunkBytes) keepSmall(chunk);
      else keepLarge(chunk);
      for (let first = chunks[0]; first && keptBytes - first.byteLength >= tailBytes; first = chunks[0]) {
        chunks.shift();
        keptBytes -= first.byteLength;
      }
    },
    bytes() {
      let whole = concat([...chunks, open.subarray(0, openLength)]);
      return whole.subarray(Math.max(0, whole.byteLength - tailBytes));
    },
  };
}
