import type { ByteStream } from "../../domain.ts";
import { AppError } from "../../errors.ts";
import { readChunks } from "../chunk-reader.ts";
import { createPartBuffer, type PartBuffer, type PartBytes, type PartMemory } from "./part-buffer.ts";

export interface Part {
  /** Counted from 1, as S3 does. */
  number: number;
  bytes: PartBytes;
  /** True when the body has ended with this part. */
  last: boolean;
  release(): void;
}

/**
 * Cuts a body into parts of one size; only the last may be shorter, and there is always at least one. The consumer
 * releases each part; what the generator itself holds it gives back when it is left early.
 */
export async function* assembleParts(
  body: ByteStream,
  sizes: { partBytes: number; mostBytes: number; declaredBytes: number | null },
  memory: PartMemory,
  signal: AbortSignal,
): AsyncGenerator<Part, void, void> {
  let { partBytes, mostBytes, declaredBytes } = sizes;
  let chunks = readChunks(body, signal);
  let capacity = Math.min(partBytes, Math.max(1, declaredBytes ?? mostBytes));
  let chunk: Uint8Array = new Uint8Array(0);
  let receivedBytes = 0;
  let ended = false;
  let buffer: PartBuffer | null = null;

  /** Has the next bytes at hand, or knows that there are none. */
  async function pull(): Promise<void> {
    while (chunk.length === 0 && !ended) {
      let next = await chunks.next();
      if (next.done) ended = true;
      else chunk = next.value;
      receivedBytes += chunk.length;
      checkLength();
    }
  }

  /** A body that is not what was announced would be stored in parts of the wrong size, or cut. */
  function checkLength(): void {
    if (receivedBytes <= (declaredBytes ?? mostBytes) && !(ended && receivedBytes < (declaredBytes ?? 0)))
      return;
    throw new AppError(
      "internal_error",
      `a body of ${declaredBytes ?? mostBytes} bytes came with ${receivedBytes}`,
    );
  }

  try {
    for (let number = 1; number === 1 || !ended; number++) {
      buffer = createPartBuffer(capacity, memory);
      while (buffer.sizeBytes < capacity) {
        if (chunk.length === 0) await pull();
        if (ended) break;
        let taken = buffer.append(chunk, signal);
        chunk = chunk.subarray(typeof taken === "number" ? taken : await taken);
      }
      // Only the first part looks one chunk ahead: whether the body ends with it decides how it is sent.
      if (number === 1) await pull();
      if (number > 1 && buffer.sizeBytes === 0) return;
      let sealed = await buffer.seal(signal);
      let { release } = buffer;
      buffer = null;
      yield { number, bytes: sealed, last: ended, release };
    }
  } finally {
    buffer?.release();
    chunks.leave();
  }
}
