/** The time, as something a test can hold still. */
export interface Clock {
  /** Now, in milliseconds since 1970. */
  nowMs(): number;
}

/** The wall clock: for what others read, and what outlives the process. Somebody may set it, by seconds or by years. */
export const systemClock: Clock = { nowMs: () => Date.now() };

/** Begins where the wall clock stood and then just runs: for how long something lasts, within this process. */
export const steadyClock: Clock = {
  nowMs: () => Math.trunc(performance.timeOrigin + performance.now()),
};
