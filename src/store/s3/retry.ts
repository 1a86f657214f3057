import { SECOND_MS } from "../../units.ts";

const baseDelayMs = 200;
const maxDelayMs = 10 * SECOND_MS;

/** Codes of a 4xx answer that a later try may turn into success. */
const RETRYABLE_CODES = new Set([
  "RequestTimeout",
  "RequestTimeTooSkewed",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
  "RequestLimitExceeded",
]);

/** The parts of an SDK error, or of fetch's, that decisions hang on. */
export interface S3Fault {
  code: string;
  /** HTTP status, or null when no answer came. */
  status: number | null;
  message: string;
}

export function faultOf(error: unknown): S3Fault {
  let { name, Code, message, code, $metadata } = (error ?? {}) as {
    name?: string;
    Code?: string;
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  let status = $metadata?.httpStatusCode ?? null;
  let named =
    name && !["Error", "TypeError", "UnknownError", "S3ServiceException"].includes(name) ? name : null;
  return { code: named ?? Code ?? code ?? name ?? "Error", status, message: message ?? String(error) };
}

/** 5xx, 408, 429, throttling, a clock that was off (the SDK corrects itself from the answer), and no answer at all. */
export function isRetryable(fault: S3Fault): boolean {
  if (fault.code === "CredentialsProviderError") return false;
  if (fault.status === null) return true;
  return fault.status >= 500
    ? fault.status !== 501
    : [408, 429].includes(fault.status) || RETRYABLE_CODES.has(fault.code);
}

export interface RetryOptions {
  /** Tries in all. */
  attempts: number;
  /** Longest time for one try. */
  timeoutMs: number;
  /** Longest time for all of them, the waiting included; default: what they take. */
  totalMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** What a try under way gets to end in when the signal aborts, so that what became of it is known; default none. */
  graceMs?: number | undefined;
  onRetry?: (fault: S3Fault, attempt: number) => void;
}

/**
 * Calls until it works, with exponential back-off and full jitter. Every try has its own time-out, which ends with the
 * call's promise: what it has opened may be read for longer. The caller's signal ends the try and the waiting. Rejects with
 * the last try's error, or with the signal's reason.
 */
export async function withRetry<T>(
  call: (signal: AbortSignal) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  let { attempts, timeoutMs, totalMs = Infinity, signal, graceMs = 0, onRetry } = options;
  let endMs = performance.now() + totalMs;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await withTimeout(call, Math.min(timeoutMs, endMs - performance.now()), signal, graceMs);
    } catch (error) {
      let fault = faultOf(error);
      // Who gave it time wants to hear when nobody can tell what became of it.
      if (signal?.aborted) throw graceMs > 0 && isRetryable(fault) ? error : signal.reason;
      let delayMs = Math.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** attempt);
      let isLast = attempt >= attempts || performance.now() + delayMs >= endMs;
      if (isLast || !isRetryable(fault)) throw error;
      onRetry?.(fault, attempt);
      await pause(delayMs, signal);
    }
  }
}

async function withTimeout<T>(
  call: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  graceMs: number,
): Promise<T> {
  let controller = new AbortController();
  let tooLate = new DOMException("The operation timed out.", "TimeoutError");
  let late = () => controller.abort(tooLate);
  let timer = setTimeout(late, timeoutMs);
  function stop(): void {
    if (graceMs === 0) return controller.abort(signal?.reason);
    clearTimeout(timer);
    timer = setTimeout(late, graceMs);
  }
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await call(controller.signal);
  } catch (error) {
    // The SDK has only one word for every abort.
    throw controller.signal.reason === tooLate ? tooLate : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer = setTimeout(done, ms);
    function done(): void {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal!.reason);
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}
