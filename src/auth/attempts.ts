import type { Clock } from "../clock.ts";
import { AppError, ERROR_CODES } from "../errors.ts";
import { SECOND_MS } from "../units.ts";
import { senderOf } from "./ip.ts";

/** Failed sign-ins in a row that a sender has free; after them one each `refillMs`. */
const maxFailures = 10;
/** As long as Retry-After says. */
const refillMs = ERROR_CODES.too_many_requests.retryAfterSeconds * SECOND_MS;
/** The senders that failed longest ago are forgotten first. */
const maxSenders = 10_000;

/** Slows down guessing at the sign-in page. In memory: a restart forgives. */
export interface Attempts {
  /** Throws AppError `too_many_requests` while the sender has used up its failures. */
  admit(address: string | null): void;
  failed(address: string | null): void;
}

export function createAttempts(clock: Clock): Attempts {
  // Insertion order is the order of the last failure.
  let failures = new Map<string, { count: number; atMs: number }>();

  function failuresOf(sender: string): number {
    let seen = failures.get(sender);
    return seen === undefined ? 0 : Math.max(0, seen.count - (clock.nowMs() - seen.atMs) / refillMs);
  }

  return {
    admit(address) {
      if (failuresOf(senderOf(address ?? "")) <= maxFailures - 1) return;
      throw new AppError("too_many_requests", "Too many failed sign-ins from this address; try again later.");
    },
    failed(address) {
      let sender = senderOf(address ?? "");
      let count = failuresOf(sender) + 1;
      failures.delete(sender);
      failures.set(sender, { count, atMs: clock.nowMs() });
      let oldest = failures.keys().next();
      if (failures.size > maxSenders && !oldest.done) failures.delete(oldest.value);
    },
  };
}
