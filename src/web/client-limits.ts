import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { MINUTE_MS, SECOND_MS } from "../units.ts";

/**
 * Without a setting: 500 a second, more than half of the small files that two cores take. Fifty people behind one address
 * who each look at five pages of a hundred thumbnails a minute stay below it.
 */
export const defaultRequestsPerMinute = 30_000;
/** A third of what the usual memory takes (see admission.ts); a page sends 3 at a time, a script 16. */
export const defaultTransfers = 100;
/** When a transfer may have ended; nobody knows. */
const transferRetrySeconds = 5;
/** Clients that are counted; the ones that were away for longest are forgotten first. */
const maxClients = 10_000;

export interface ClientLimitsOptions {
  /** 0 for no limit; null for the default, which leaves this machine itself alone. */
  requestsPerMinute: number | null;
  transfers: number | null;
}

/** Counts what each client does. A client is a name; who is local may be let alone. In memory: a restart forgives. */
export interface ClientLimits {
  /** Throws `too_many_requests` when the client has used up its requests, else counts one. */
  countRequest(client: string, isLocal: boolean): void;
  /** Throws `too_many_requests` when the client has too many under way; the result ends one, called once or more. */
  beginTransfer(client: string, isLocal: boolean): () => void;
}

export function createClientLimits(options: ClientLimitsOptions, clock: Clock): ClientLimits {
  let perMinute = options.requestsPerMinute ?? defaultRequestsPerMinute;
  let transfers = options.transfers ?? defaultTransfers;
  // Insertion order is the order of the last request.
  let buckets = new Map<string, { left: number; atMs: number }>();
  let underWay = new Map<string, number>();

  function end(client: string): void {
    let left = (underWay.get(client) ?? 0) - 1;
    if (left > 0) underWay.set(client, left);
    else underWay.delete(client);
  }

  return {
    countRequest(client, isLocal) {
      if (perMinute === 0 || (isLocal && options.requestsPerMinute === null)) return;
      let nowMs = clock.nowMs();
      let seen = buckets.get(client);
      let earned = seen ? (Math.max(0, nowMs - seen.atMs) * perMinute) / MINUTE_MS : perMinute;
      let left = Math.min(perMinute, (seen?.left ?? 0) + earned);
      let isRefused = left < 1;
      buckets.delete(client);
      buckets.set(client, { left: isRefused ? left : left - 1, atMs: nowMs });
      let oldest = buckets.keys().next();
      if (buckets.size > maxClients && !oldest.done) buckets.delete(oldest.value);
      if (isRefused) throw tooMany(Math.ceil(((1 - left) * MINUTE_MS) / perMinute / SECOND_MS));
    },
    beginTransfer(client, isLocal) {
      if (transfers === 0 || (isLocal && options.transfers === null)) return () => {};
      let now = underWay.get(client) ?? 0;
      if (now >= transfers) throw tooMany(transferRetrySeconds, "uploads and downloads at the same time");
      underWay.set(client, now + 1);
      let isOver = false;
      return () => {
        if (!isOver) end(client);
        isOver = true;
      };
    },
  };
}

function tooMany(seconds: number, what = "requests"): AppError {
  return new AppError("too_many_requests", `Too many ${what}; try again in ${seconds} s.`, {
    details: { retry_after_seconds: seconds },
  });
}
