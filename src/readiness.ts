import { type Clock, steadyClock } from "./clock.ts";
import type { AppError } from "./errors.ts";
import { toAppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Recovery } from "./recover.ts";
import { endsWithin } from "./soon.ts";
import type { Storage } from "./store/storage.ts";
import type { Sweep } from "./sweep.ts";
import { MINUTE_MS, SECOND_MS } from "./units.ts";

const whenReadyMs = MINUTE_MS;
const whenDegradedMs = 5 * SECOND_MS;
/** Whoever asks hears of a look that is no older than this. */
const freshMs = 5 * SECOND_MS;
/** Who asks gives up soon: then the last look counts. */
const askPatienceMs = 2 * SECOND_MS;
/** Recovery that could not end everything is tried again after this, then after twice as long, and so on. */
const firstRetryMs = 5 * SECOND_MS;
/** What a start waits for recovery, which goes on beside the first requests: what it removes is out of their sight. */
const startPatienceMs = 5 * SECOND_MS;

/** Whether storage can be reached, looked at now and then. */
export interface Readiness {
  /** What was wrong with storage at the last look, or null. */
  readonly fault: AppError | null;
  /** The same after a new look, when the last one was a while ago. */
  ask(): Promise<AppError | null>;
  /** Looks for the first time, and lets recovery begin. */
  start(): Promise<void>;
  stop(): void;
}

/** Every look that finds storage is followed by recovery of what requests have left open, and by the sweep. */
export function createReadiness(
  storage: Storage,
  recovery: Pick<Recovery, "run">,
  sweep: Sweep,
  log: Log,
  clock: Clock = steadyClock,
): Readiness {
  let fault: AppError | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let stopped = false;
  let retryMs = firstRetryMs;
  let looking: Promise<void> | null = null;
  let lookedAtMs = -Infinity;

  function look(): Promise<void> {
    looking ??= lookNow().finally(() => {
      looking = null;
      lookedAtMs = clock.nowMs();
    });
    return looking;
  }

  async function lookNow(): Promise<void> {
    let before = fault;
    try {
      await storage.probe();
      fault = null;
      if (before) log.info({}, "storage can be reached again");
    } catch (error) {
      fault = toAppError(error);
      if (fault.message !== before?.message) log.warn({ code: fault.code }, fault.message);
    }
  }

  /** Resolves to the time until the next look, in milliseconds. */
  async function recover(): Promise<number> {
    if (fault) return whenDegradedMs;
    try {
      let left = await recovery.run();
      await sweep();
      if (left === 0) {
        retryMs = firstRetryMs;
        return whenReadyMs;
      }
    } catch (error) {
      log.error({ reason: toAppError(error).message }, "recovery has to wait");
    }
    let nextMs = retryMs;
    retryMs = Math.min(retryMs * 2, whenReadyMs);
    return nextMs;
  }

  async function recoverAndGoOn(): Promise<void> {
    let nextMs = await recover();
    if (!stopped) timer = setTimeout(() => void look().then(recoverAndGoOn), nextMs);
  }

  return {
    get fault() {
      return fault;
    },
    async ask() {
      if (clock.nowMs() - lookedAtMs >= freshMs) await endsWithin(look(), askPatienceMs);
      return fault;
    },
    async start() {
      await look();
      await Promise.race([recoverAndGoOn(), Bun.sleep(startPatienceMs)]);
    },
    stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
    },
  };
}
