import type { ByteBudget } from "./byte-budget.ts";
import { AppError } from "./errors.ts";
import { MIB, SECOND_MS } from "./units.ts";

/** How long a file waits before its sender is told to come back. */
const patienceMs = 10 * SECOND_MS;
/** Bun stops reading from a socket when 1 MiB waits to be pulled, in a buffer that grows by doubling. */
const unreadBytes = 2 * MIB;
/** What is left for parts in any case; one part is at most a third of the budget (config/size-limits.ts). */
const partsShare = 3 / 8;

/** Lets a file in when there is memory to look at it. */
export interface Admission {
  /**
   * @param mostBytes how large the file can be, or null when unknown
   * @returns what ends the stay
   * @throws AppError `server_busy` when too many files are being looked at, or when memory stays short
   */
  enter(mostBytes: number | null, signal: AbortSignal): Promise<() => void>;
}

/** @param inspectBytes most memory that looking at one file takes; all of them together get half of the budget */
export function createAdmission(budget: ByteBudget, inspectBytes: number): Admission {
  let mostFiles = Math.floor(budget.limitBytes / 2 / inspectBytes);
  let files = 0;

  function count(change: 1 | -1): void {
    files += change;
    let mostAside = budget.limitBytes * (1 - partsShare) - files * inspectBytes;
    budget.setAside(Math.min(files * unreadBytes, mostAside));
  }

  return {
    async enter(mostBytes, signal) {
      if (files >= mostFiles) throw new AppError("server_busy");
      let bytes = Math.min(mostBytes ?? inspectBytes, inspectBytes);
      let timeout = AbortSignal.timeout(patienceMs);
      count(1);
      try {
        await budget.take(bytes, AbortSignal.any([signal, timeout]));
      } catch (error) {
        count(-1);
        throw timeout.aborted ? new AppError("server_busy") : error;
      }
      return () => {
        count(-1);
        budget.give(bytes);
      };
    },
  };
}
