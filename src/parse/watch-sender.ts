import type { Clock } from "../clock.ts";
import type { ByteStream } from "../domain.ts";
import { AppError } from "../errors.ts";
import { KIB, MINUTE_MS, SECOND_MS } from "../units.ts";

export interface WatchSenderOptions {
  /** Longest silence of the sender, in milliseconds. */
  stallTimeoutMs: number;
  /** Slowest average over a minute of waiting, in bytes per second. */
  minBytesPerSecond: number;
  /** Stops the reading; a reason that is an AppError is thrown as it is. */
  signal?: AbortSignal;
  /** Differences count alone; default: a clock that nobody sets. */
  clock?: Clock;
}

/** Waiting time over which the rate is averaged. */
const rateWindowMs = MINUTE_MS;
/** After the process itself stood still, the time that the sender's bytes get to come in before it is blamed. */
const secondLookMs = 50;
/**
 * Who sends so much at a time sends faster than we read. A turn of the event loop later Bun has gathered up to 1 MiB, which
 * costs a tenth less CPU than as many chunks of this size (a form: a fifth).
 */
const fullReadBytes = 64 * KIB;

const steadyClock: Clock = { nowMs: () => performance.now() };

/**
 * A request's body as a byte stream that does not wait for ever. Its clock runs only while a chunk is being waited for:
 * time in which the consumer is busy (a slow bucket) is nobody's fault. Read once; giving it up cancels the body.
 *
 * Throws AppError `upload_stalled` after too long a silence or when the sender is too slow, and `bad_request` when the
 * connection was closed before the body's end (the request's signal tells that apart).
 *
 * A chunk's memory is given back as soon as the next one is asked for. Left to the garbage collector, which knows nothing
 * of its size, the chunks of a crowd of uploads take a gigabyte.
 */
export function watchSender(
  body: ReadableStream<Uint8Array> | null,
  options: WatchSenderOptions,
): ByteStream {
  return { [Symbol.asyncIterator]: () => (body ? watchedIterator(body, options) : emptyIterator()) };
}

function watchedIterator(
  body: ReadableStream<Uint8Array>,
  { stallTimeoutMs, minBytesPerSecond, signal, clock = steadyClock }: WatchSenderOptions,
): AsyncIterator<Uint8Array> {
  let reader = body.getReader();
  let ended = false;
  let failure: AppError | null = null;
  let rejectWaiting: ((error: AppError) => void) | null = null;
  let waitingSinceMs = 0;
  let reads = 0;
  let windowMs = 0;
  let windowBytes = 0;
  let senderIsAhead = false;
  let lent: ArrayBufferLike | null = null;
  // One timer an upload, which looks at the time when it fires instead of being set anew for every chunk.
  let timer: ReturnType<typeof setTimeout> | null = null;

  function lookLater(delayMs: number, suspectedRead: number | null): void {
    timer = setTimeout(() => {
      timer = null;
      // Nobody waits: the next wait starts the timer again.
      if (!rejectWaiting) return;
      let leftMs = stallTimeoutMs - (clock.nowMs() - waitingSinceMs);
      if (leftMs > 0) lookLater(leftMs, null);
      else if (suspectedRead === reads) fail(stalled("The upload stood still for too long."));
      else lookLater(secondLookMs, reads);
    }, delayMs);
  }

  function fail(reason: AppError): void {
    if (ended) return;
    failure = reason;
    let reject = rejectWaiting;
    finish();
    reject?.(reason);
    reader.cancel(reason).catch(() => {});
  }

  function finish(): void {
    ended = true;
    rejectWaiting = null;
    if (timer) clearTimeout(timer);
    timer = null;
    signal?.removeEventListener("abort", onAbort);
  }

  function onAbort(): void {
    fail(signal?.reason instanceof AppError ? signal.reason : connectionClosed(signal?.reason));
  }

  /** Counts a wait that has ended with a chunk; throws when too little came over a minute of waiting. */
  function countWait(bytes: number): void {
    windowMs += clock.nowMs() - waitingSinceMs;
    windowBytes += bytes;
    if (windowMs < rateWindowMs) return;
    let tooSlow = windowBytes / (windowMs / SECOND_MS) < minBytesPerSecond;
    windowMs = 0;
    windowBytes = 0;
    if (tooSlow) fail(stalled(`The upload was slower than ${minBytesPerSecond} bytes per second.`));
  }

  function takeBack(): void {
    if (lent instanceof ArrayBuffer && !lent.detached) lent.transfer(0);
    lent = null;
  }

  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });

  /** Settles with the read, or rejects before it when the watch loses patience. */
  function waitForSender(): Promise<{ done: boolean; value?: Uint8Array | undefined }> {
    return new Promise((resolve, reject) => {
      rejectWaiting = reject;
      waitingSinceMs = clock.nowMs();
      reads += 1;
      if (!timer) lookLater(stallTimeoutMs, null);
      reader.read().then(resolve, (thrown: unknown) => fail(connectionClosed(thrown)));
    });
  }

  return {
    async next() {
      takeBack();
      if (failure) throw failure;
      if (ended) return { done: true, value: undefined };
      if (senderIsAhead) await new Promise<void>((resolve) => setImmediate(resolve));
      let { value } = await waitForSender();
      rejectWaiting = null;
      lent = value?.buffer ?? null;
      senderIsAhead = (value?.byteLength ?? 0) >= fullReadBytes;
      if (value) countWait(value.byteLength);
      else finish();
      if (failure) throw failure;
      return value ? { done: false, value } : { done: true, value: undefined };
    },
    async return() {
      takeBack();
      if (!ended) {
        finish();
        await reader.cancel().catch(() => {});
      }
      return { done: true, value: undefined };
    },
  };
}

async function* emptyIterator(): AsyncGenerator<Uint8Array, void, void> {}

function stalled(message: string): AppError {
  return new AppError("upload_stalled", message);
}

function connectionClosed(cause: unknown): AppError {
  return new AppError("bad_request", "The connection was closed before the upload was complete.", { cause });
}
