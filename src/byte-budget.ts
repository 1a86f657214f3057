/**
 * The memory of all uploads together, counted in bytes held.
 *
 * Whoever holds an unfinished part registers as a holder. When somebody has waited for bytes longer than `patienceMs`,
 * the holder whose part is the oldest (the slowest sender) is asked to spill it to disk, again and again until nobody
 * waits: so slow senders cannot starve the others, and no circle of waiters can form.
 */
export interface ByteBudget {
  readonly limitBytes: number;
  readonly heldBytes: number;
  /** Takes the bytes if they are free and nobody waits in front. */
  tryTake(bytes: number): boolean;
  /** Takes the bytes when they become free, first come first served. Rejects with the signal's reason. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
  give(bytes: number): void;
  register(holder: Holder): () => void;
}

export interface Holder {
  /** When the unfinished part got its first byte, in milliseconds of performance.now(). */
  sinceMs: number;
  /** Moves what is held to disk and gives the bytes back, now or very soon; never throws. */
  relieve(): void;
}

interface Waiter {
  bytes: number;
  sinceMs: number;
  admit: () => void;
}

const defaultPatienceMs = 500;

export function createByteBudget(limitBytes: number, patienceMs = defaultPatienceMs): ByteBudget {
  let heldBytes = 0;
  let waiters: Waiter[] = [];
  let holders = new Set<Holder>();
  let timer: ReturnType<typeof setInterval> | null = null;

  function admitWaiters(): void {
    while (waiters[0] && heldBytes + waiters[0].bytes <= limitBytes) {
      let waiter = waiters.shift()!;
      heldBytes += waiter.bytes;
      waiter.admit();
    }
    if (waiters.length === 0 && timer) {
      clearInterval(timer);
      timer = null;
    }
  }

  function relieve(): void {
    let now = performance.now();
    while (waiters[0] && now - waiters[0].sinceMs >= patienceMs) {
      let oldest: Holder | null = null;
      for (let holder of holders) {
        if (now - holder.sinceMs >= patienceMs && (!oldest || holder.sinceMs < oldest.sinceMs))
          oldest = holder;
      }
      if (!oldest) return;
      holders.delete(oldest);
      oldest.relieve();
    }
  }

  return {
    limitBytes,
    get heldBytes() {
      return heldBytes;
    },

    tryTake(bytes) {
      if (waiters.length > 0 || heldBytes + bytes > limitBytes) return false;
      heldBytes += bytes;
      return true;
    },

    take(bytes, signal) {
      if (this.tryTake(bytes)) return Promise.resolve();
      return new Promise((resolve, reject) => {
        let waiter: Waiter = {
          bytes,
          sinceMs: performance.now(),
          admit: () => {
            signal.removeEventListener("abort", leave);
            resolve();
          },
        };
        function leave(): void {
          waiters = waiters.filter((other) => other !== waiter);
          admitWaiters();
          reject(signal.reason);
        }
        if (signal.aborted) return reject(signal.reason);
        signal.addEventListener("abort", leave, { once: true });
        waiters.push(waiter);
        timer ??= setInterval(relieve, patienceMs / 4);
      });
    },

    give(bytes) {
      heldBytes -= bytes;
      admitWaiters();
    },

    register(holder) {
      holders.add(holder);
      return () => holders.delete(holder);
    },
  };
}
