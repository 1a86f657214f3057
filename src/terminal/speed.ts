import { SECOND_MS } from "../units.ts";

/** Long enough to be calm, short enough to be true. */
const windowMs = 6 * SECOND_MS;
const stepMs = 250;

/** The speed of something that counts, averaged over the last seconds. */
export interface Speed {
  /** @param count so far */
  mark(count: number, nowMs: number): void;
  /** Counts a second; 0 as long as nobody can tell. */
  perSecond(): number;
}

export function createSpeed(): Speed {
  let marks: { atMs: number; count: number }[] = [];
  return {
    mark(count, nowMs) {
      let last = marks.at(-1);
      if (last && nowMs - last.atMs < stepMs) return;
      // Something is being done again: what was before tells nothing.
      if (last && count < last.count) marks = [];
      marks.push({ atMs: nowMs, count });
      while (marks.length > 2 && nowMs - (marks[0]?.atMs ?? 0) > windowMs) marks.shift();
    },
    perSecond() {
      let [first, last] = [marks[0], marks.at(-1)];
      if (!first || !last || last.atMs - first.atMs < stepMs) return 0;
      return ((last.count - first.count) / (last.atMs - first.atMs)) * SECOND_MS;
    },
  };
}
