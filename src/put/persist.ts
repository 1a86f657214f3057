import { SECOND_MS } from "../units.ts";
import { RemoteError } from "./remote-error.ts";

/** Tries in a row that bring nothing forward before a file is given up: about two minutes. */
const maxFruitlessTries = 10;
const firstPauseMs = SECOND_MS / 2;
const longestPauseMs = 30 * SECOND_MS;

export interface Attempt {
  /** To be called when something has come forward: the patience begins anew. */
  progressed: () => void;
}

/**
 * Tries again after faults that may pass, with growing pauses or those that the server asks for. Rejects with the last
 * fault, or with the signal's reason.
 *
 * @param onPause hears why the next try has to wait, and how long
 * @param mostTries in a row that bring nothing forward
 */
export async function persist<T>(
  work: (attempt: Attempt) => Promise<T>,
  signal: AbortSignal,
  onPause: (reason: string, ms: number) => void,
  mostTries = maxFruitlessTries,
): Promise<T> {
  let fruitless = 0;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work({ progressed: () => (fruitless = 0) });
    } catch (error) {
      if (!(error instanceof RemoteError) || !error.isPassing || ++fruitless >= mostTries) throw error;
      let growing =
        Math.min(longestPauseMs, firstPauseMs * 2 ** (fruitless - 1)) * (0.75 + Math.random() / 2);
      let ms = Math.max(growing, (error.retryAfterSeconds ?? 0) * SECOND_MS);
      onPause(error.message, ms);
      await pause(ms, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    let timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
