// @ts-check

/** Speed is what came over in this time: long enough to be calm, short enough to be true. */
const windowMs = 6_000;
const stepMs = 500;

/** The speed of something that counts bytes, averaged over the last seconds. */
export function createRate() {
  /** @type {{ atMs: number, bytes: number }[]} */
  let marks = [];
  return {
    /** @param {number} bytes so far, never fewer than before */
    mark(bytes) {
      let nowMs = performance.now();
      let last = marks.at(-1);
      if (last && nowMs - last.atMs < stepMs) return;
      marks.push({ atMs: nowMs, bytes });
      while (marks.length > 2 && nowMs - (marks[0]?.atMs ?? 0) > windowMs) marks.shift();
    },
    /** @returns {number} bytes per second; 0 as long as nobody can tell */
    perSecond() {
      let first = marks[0];
      let last = marks.at(-1);
      if (!first || !last || last.atMs - first.atMs < stepMs) return 0;
      return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
    },
    reset() {
      marks = [];
    },
  };
}
