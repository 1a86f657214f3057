/** What can go wrong with one call. */
export type Fault =
  /** Answered with this status and S3 error code instead of being done. */
  | { kind: "status"; status: number; code: string }
  /** Not done, answered 200 with an <Error> body, as S3 may do for Complete. */
  | { kind: "errorIn200"; code: string }
  /** Done, but the connection breaks before the answer. */
  | { kind: "lostAnswer" }
  /** The connection breaks before anything is done. */
  | { kind: "resetBefore" }
  /** Neither done nor answered. */
  | { kind: "stall" }
  /** Done and answered, later. */
  | { kind: "delay"; ms: number }
  /** Done; the connection breaks in the middle of the answer's body. */
  | { kind: "truncate" };

export const slowDown: Fault = { kind: "status", status: 503, code: "SlowDown" };
export const internalError: Fault = { kind: "status", status: 500, code: "InternalError" };
export const requestTimeout: Fault = { kind: "status", status: 400, code: "RequestTimeout" };
export const accessDenied: Fault = { kind: "status", status: 403, code: "AccessDenied" };
export const clockSkew: Fault = { kind: "status", status: 403, code: "RequestTimeTooSkewed" };

export const OPERATIONS = [
  "PutObject",
  "CopyObject",
  "GetObject",
  "HeadObject",
  "DeleteObject",
  "ListObjectsV2",
  "CreateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "CompleteMultipartUpload",
  "AbortMultipartUpload",
  "ListMultipartUploads",
  "ListParts",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** @typeParam F what can go wrong; the fake and the proxy know different faults */
export interface FaultScript<F = Fault> {
  /** Lets the next calls of an operation fail: `times` of them (default 1), after the first `skip` (default 0). */
  fail(operation: Operation, fault: F, options?: { times?: number; skip?: number }): void;
  /** Lets a share (0 to 1) of all calls fail, each with one of the faults, the same ones for the same seed. */
  failRandomly(seed: number, share: number, faults: readonly F[]): void;
  /** Forbids operations, as a bucket's policy does, until `heal`. */
  deny(...operations: Operation[]): void;
  isDenied(operation: Operation): boolean;
  /** Nothing fails any more. */
  heal(): void;
  /** The fault for this call, which is counted. */
  next(operation: Operation): F | null;
}

/** @param denial what a forbidden operation is answered with */
export function createFaultScript<F = Fault>(denial: F | null = null): FaultScript<F> {
  let rules: { operation: Operation; fault: F; times: number; skip: number }[] = [];
  let random: (() => F | null) | null = null;
  let denied = new Set<Operation>();
  return {
    fail(operation, fault, { times = 1, skip = 0 } = {}) {
      rules.push({ operation, fault, times, skip });
    },
    failRandomly(seed, share, faults) {
      let draw = seededRandom(seed);
      random = () => (draw() < share ? (faults[Math.floor(draw() * faults.length)] ?? null) : null);
    },
    deny(...operations) {
      for (let operation of operations) denied.add(operation);
    },
    isDenied: (operation) => denied.has(operation),
    heal() {
      denied.clear();
      rules = [];
      random = null;
    },
    next(operation) {
      if (denied.has(operation)) return denial;
      let rule = rules.find((one) => one.operation === operation && one.times > 0);
      if (!rule) return random?.() ?? null;
      if (rule.skip > 0) {
        rule.skip--;
        return null;
      }
      rule.times--;
      return rule.fault;
    },
  };
}

/** mulberry32: numbers from 0 to 1, the same ones for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
