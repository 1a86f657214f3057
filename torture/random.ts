/** Numbers that are the same for the same seed. */
export interface Random {
  /** From 0 to 1. */
  next(): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(list: readonly T[]): T;
  /** True in this share of all cases. */
  chance(share: number): boolean;
  /** Numbers of its own, which don't depend on how many were drawn here. */
  fork(name: string | number): Random;
}

export function createRandom(seed: string): Random {
  let state = Number(Bun.hash(seed) & 0xffff_ffffn);
  /** mulberry32 */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  let between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    pick: (list) => list[between(0, list.length - 1)]!,
    chance: (share) => next() < share,
    fork: (name) => createRandom(`${seed}/${name}`),
  };
}
