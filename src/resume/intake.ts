import type { ByteStream } from "../domain.ts";
import { type AppError, toAppError } from "../errors.ts";

export interface IntakeOptions {
  /** Bytes that may come; the first chunk that would exceed them ends the intake with `tooLong`. */
  limitBytes: number;
  tooLong: (bytes: number) => AppError;
  /** Sees every chunk before it is handed on, and may refuse the file by throwing. */
  look: (chunk: Uint8Array) => Promise<void> | void;
}

/** The body of one request on its way to storage. */
export interface Intake {
  body: ByteStream;
  readonly receivedBytes: number;
  /** Since when its sender is being waited for, by performance.now(); null while it is not the slow side. */
  readonly waitingSinceMs: number | null;
  /**
   * What cut the body short: its sender is gone, stands still, or had to make way. The body then ends as if it were
   * complete, because every byte that came counts. Null for a body that came whole.
   */
  readonly cutBy: AppError | null;
}

export function createIntake(source: ByteStream, { limitBytes, tooLong, look }: IntakeOptions): Intake {
  let chunks = source[Symbol.asyncIterator]();
  let receivedBytes = 0;
  let waitingSinceMs: number | null = null;
  let cutBy: AppError | null = null;

  async function pull(): Promise<IteratorResult<Uint8Array, undefined>> {
    waitingSinceMs = performance.now();
    try {
      let next = await chunks.next();
      return next.done ? { done: true, value: undefined } : next;
    } catch (thrown) {
      cutBy = toAppError(thrown);
      return { done: true, value: undefined };
    } finally {
      waitingSinceMs = null;
    }
  }

  let iterator: AsyncIterator<Uint8Array, undefined> = {
    async next() {
      let next = await pull();
      if (next.done) return next;
      let bytes = receivedBytes + next.value.byteLength;
      if (bytes > limitBytes) throw tooLong(bytes);
      let looking = look(next.value);
      if (looking) await looking;
      receivedBytes = bytes;
      return next;
    },
    async return() {
      await chunks.return?.();
      return { done: true, value: undefined };
    },
  };

  return {
    body: { [Symbol.asyncIterator]: () => iterator },
    get receivedBytes() {
      return receivedBytes;
    },
    get waitingSinceMs() {
      return waitingSinceMs;
    },
    get cutBy() {
      return cutBy;
    },
  };
}
