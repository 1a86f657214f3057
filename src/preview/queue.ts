import { AppError } from "../errors.ts";

export interface Queue {
  /**
   * Runs the task when its turn comes. Rejects with `server_busy` when too many wait, and with the signal's reason when
   * it is aborted before its turn.
   */
  run<Result>(task: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

/** A few tasks at a time, the others in the order in which they came. */
export function createQueue({ atOnce, maxWaiting }: { atOnce: number; maxWaiting: number }): Queue {
  let running = 0;
  let waiting: (() => void)[] = [];

  function turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (running < atOnce) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.length >= maxWaiting) {
      return Promise.reject(new AppError("server_busy", "Too many thumbnails are waiting to be made."));
    }
    return new Promise((resolve, reject) => {
      let admit = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      let leave = () => {
        waiting = waiting.filter((other) => other !== admit);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(admit);
    });
  }

  /** The place of one that is done goes to the next without becoming free in between. */
  function leaveTurn(): void {
    let next = waiting.shift();
    if (next) next();
    else running -= 1;
  }

  return {
    async run(task, signal) {
      await turn(signal);
      try {
        return await task();
      } finally {
        leaveTurn();
      }
    },
  };
}
