import type { ByteStream } from "../domain.ts";

/** A body's chunks, until a signal. */
export interface ChunkReader {
  /** Rejects with the signal's reason as soon as it aborts. */
  next(): Promise<IteratorResult<Uint8Array>>;
  /** Gives up the body, without waiting for a sender that says nothing. */
  leave(): void;
}

/**
 * A sender that says nothing must not keep an upload alive. One listener a body: 16,000 chunks a GiB make one a chunk
 * cost.
 */
export function readChunks(body: ByteStream, signal: AbortSignal): ChunkReader {
  let chunks = body[Symbol.asyncIterator]();
  let rejectWaiting: ((reason: unknown) => void) | null = null;

  function onAbort(): void {
    rejectWaiting?.(signal.reason);
  }
  signal.addEventListener("abort", onAbort, { once: true });

  return {
    next() {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        rejectWaiting = reject;
        chunks.next().then(resolve, reject);
      });
    },
    leave() {
      signal.removeEventListener("abort", onAbort);
      void chunks.return?.()?.catch(() => {});
    },
  };
}
