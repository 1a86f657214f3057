/** Draws a whole number from 0 up to, but without, `below`. */
export type Random = (below: number) => number;

/** A small generator with a seed (mulberry32): the same numbers for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export function pick<T>(values: readonly T[], random: Random): T {
  return values[random(values.length)]!;
}
