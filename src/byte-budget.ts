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
  /** What may be taken now; less than nothing when too much was set aside. */
  readonly freeBytes: number;
  /** Takes the bytes if they are free and nobody waits in front. */
  tryTake(bytes: number): boolean;
  /** Takes the bytes when they become free, first come first served. Rejects with the signal's reason. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
  give(bytes: number): void;
  /** Leaves room for memory that is used beside the budget; the bytes replace those of an earlier call. */
  setAside(bytes: number): void;
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

const defaultPatienceMs = 1_000;

export function createByteBudget(limitBytes: number, patienceMs = defaultPatienceMs): ByteBudget {
  let heldBytes = 0;
  let asideBytes = 0;
  let waiters: Waiter[] = [];
  let holders = new Set<Holder>();
  let timer: ReturnType<typeof setInterval> | null = null;

  function freeBytes(): number {
    return limitBytes - asideBytes - heldBytes;
  }

  function admitWaiters(): void {
    while (waiters[0] && waiters[0].bytes <= freeBytes()) {
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
    get freeBytes() {
      return freeBytes();
    },

    tryTake(bytes) {
      if (waiters.length > 0 || bytes > freeBytes()) return false;
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

    setAside(bytes) {
      asideBytes = bytes;
      admitWaiters();
    },

    register(holder) {
      holders.add(holder);
      return () => holders.delete(holder);
    },
  };
}
