import type { Clock } from "../clock.ts";
import { AppError, ERROR_CODES } from "../errors.ts";
import { SECOND_MS } from "../units.ts";
import { senderOf } from "./ip.ts";

/** Failures in a row that are free; after them one each `refillMs`, as long as Retry-After says. */
interface Limit {
  free: number;
  refillMs: number;
}

const retryMs = ERROR_CODES.too_many_requests.retryAfterSeconds * SECOND_MS;
const ofSender: Limit = { free: 10, refillMs: retryMs };
/** More than of a sender: nobody is to be locked out by one who fails on purpose. */
const ofName: Limit = { free: 30, refillMs: retryMs };
/** Of passwords, whoever sends them for whichever name: many senders that try a few names each. */
const ofAll: Limit = { free: 200, refillMs: 5 * SECOND_MS };
/** Those that were heard of longest ago are forgotten first. */
const maxRemembered = 10_000;

/** Slows down guessing. In memory: a restart forgives. */
export interface Attempts {
  /**
   * Begins an attempt, which counts as failed until it is told otherwise: many at once get no further than one by one.
   * Throws AppError `too_many_requests`.
   *
   * @param name whose password is tried; absent for secrets that are too long to be guessed. A sender who signed in by
   * that name before is only held to the sender's own limit.
   */
  begin(address: string | null, name?: string): Attempt;
}

export interface Attempt {
  succeeded(): void;
  /** It came to no answer: it does not count. */
  withdraw(): void;
}

export function createAttempts(clock: Clock): Attempts {
  // Insertion order is the order of the last failure.
  let failures = new Map<string, { count: number; atMs: number }>();
  let welcome = new Set<string>();

  function count(key: string, { refillMs }: Limit): number {
    let seen = failures.get(key);
    return seen === undefined ? 0 : Math.max(0, seen.count - (clock.nowMs() - seen.atMs) / refillMs);
  }

  function add(key: string, limit: Limit, step: 1 | -1): void {
    let now = Math.max(0, count(key, limit) + step);
    failures.delete(key);
    if (now > 0) failures.set(key, { count: now, atMs: clock.nowMs() });
    dropOldest(failures);
  }

  return {
    begin(address, name) {
      let sender = senderOf(address ?? "");
      let pair = name === undefined ? null : `${sender} ${name}`;
      let limits: [key: string, limit: Limit][] = [[`from ${sender}`, ofSender]];
      if (pair !== null && !welcome.has(pair)) limits.push([`name ${name}`, ofName], ["all", ofAll]);
      if (limits.some(([key, limit]) => count(key, limit) > limit.free - 1)) {
        throw new AppError("too_many_requests", "Too many failed sign-ins; try again later.");
      }
      for (let [key, limit] of limits) add(key, limit, 1);
      let withdraw = () => {
        for (let [key, limit] of limits) add(key, limit, -1);
      };
      return {
        withdraw,
        succeeded() {
          withdraw();
          if (pair === null) return;
          welcome.delete(pair);
          welcome.add(pair);
          dropOldest(welcome);
        },
      };
    },
  };
}

function dropOldest(remembered: Map<string, unknown> | Set<string>): void {
  let oldest = remembered.keys().next();
  if (remembered.size > maxRemembered && !oldest.done) remembered.delete(oldest.value);
}
