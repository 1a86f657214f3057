/** The time, as something a test can hold still. */
export interface Clock {
  /** Now, in milliseconds since 1970. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };
