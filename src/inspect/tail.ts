/** The last bytes of a stream, copied: at most twice `tailBytes` of memory, and none before the first chunk. */
export function createTail(tailBytes: number): { push(chunk: Uint8Array): void; bytes(): Uint8Array } {
  let buffer = new Uint8Array(0);
  let end = 0;

  /** Makes room behind the bytes that still count. */
  function makeRoom(bytes: number): void {
    if (buffer.byteLength === 0) buffer = new Uint8Array(2 * tailBytes);
    if (end + bytes <= buffer.byteLength) return;
    let kept = tailBytes - bytes;
    buffer.copyWithin(0, end - kept, end);
    end = kept;
  }

  return {
    push(chunk) {
      let last = chunk.byteLength > tailBytes ? chunk.subarray(chunk.byteLength - tailBytes) : chunk;
      makeRoom(last.byteLength);
      buffer.set(last, end);
      end += last.byteLength;
    },
    bytes: () => buffer.subarray(Math.max(0, end - tailBytes), end),
  };
}
