import { KIB } from "../../units.ts";
import { toStorageError } from "./errors.ts";
import type { ReadDescriptor } from "./read-descriptor.ts";

const readBytes = 256 * KIB;

/**
 * The bytes from `first` to `last`, both included, in chunks that are read when they are asked for. Closes the file at its
 * end, when it is cancelled, and when `signal` aborts.
 */
export function readRange(
  file: ReadDescriptor,
  { first, last }: { first: number; last: number },
  signal?: AbortSignal,
): ReadableStream<Uint8Array> {
  let position = first;
  let onAbort: (() => void) | null = null;
  function close(): Promise<void> {
    if (onAbort) signal?.removeEventListener("abort", onAbort);
    return file.close();
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => {
          controller.error(signal?.reason);
          void close();
        };
        // The file was being opened meanwhile.
        if (signal?.aborted) onAbort();
        else signal?.addEventListener("abort", onAbort, { once: true });
      },
      async pull(controller) {
        if (position > last) {
          await close();
          return controller.close();
        }
        try {
          let chunk = await file.read(position, Math.min(readBytes, last - position + 1));
          if (chunk.byteLength === 0) throw new Error("the file became shorter while it was read");
          position += chunk.byteLength;
          if (!signal?.aborted) controller.enqueue(chunk);
        } catch (error) {
          await close();
          throw toStorageError(error, "read");
        }
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
}
