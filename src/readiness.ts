import type { AppError } from "./errors.ts";
import { toAppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Recovery } from "./recover.ts";
import type { Storage } from "./store/storage.ts";
import { MINUTE_MS, SECOND_MS } from "./units.ts";

const whenReadyMs = MINUTE_MS;
const whenDegradedMs = 5 * SECOND_MS;
/** What a start waits for recovery, which goes on beside the first requests: what it removes is out of their sight. */
const startPatienceMs = 5 * SECOND_MS;

/** Whether storage can be reached, looked at now and then. */
export interface Readiness {
  /** What is wrong with storage, or null. */
  readonly fault: AppError | null;
  /** Looks for the first time, and lets recovery begin. */
  start(): Promise<void>;
  stop(): void;
}

/** Every look that finds storage is followed by recovery of what requests have left open. */
export function createReadiness(storage: Storage, recovery: Pick<Recovery, "run">, log: Log): Readiness {
  let fault: AppError | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let stopped = false;

  async function look(): Promise<void> {
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

  async function recover(): Promise<void> {
    try {
      if (!fault) await recovery.run();
    } catch (error) {
      log.error({ reason: toAppError(error).message }, "recovery has to wait");
    }
    if (stopped) return;
    timer = setTimeout(() => void look().then(recover), fault ? whenDegradedMs : whenReadyMs);
  }

  return {
    get fault() {
      return fault;
    },
    async start() {
      await look();
      await Promise.race([recover(), Bun.sleep(startPatienceMs)]);
    },
    stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
    },
  };
}
