export interface Tally {
  cases: number;
  /** What the slowest case took. */
  slowestMs: number;
  slowestCase: number;
}

/** No case takes a tenth of it on a machine that has nothing else to do. */
const maxCaseMs = 5_000;

/**
 * Runs the cases one after another.
 * @throws Error that names seed and case when one throws or takes too long.
 */
export async function timed(
  seed: number,
  cases: number,
  runCase: (number: number) => Promise<void> | void,
): Promise<Tally> {
  let tally: Tally = { cases, slowestMs: 0, slowestCase: 0 };
  for (let number = 0; number < cases; number++) {
    let beganMs = performance.now();
    try {
      await runCase(number);
    } catch (error) {
      let reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new Error(`seed ${seed}, case ${number}: ${reason}`, { cause: error });
    }
    let tookMs = performance.now() - beganMs;
    if (tookMs > maxCaseMs) throw new Error(`seed ${seed}, case ${number} took ${Math.round(tookMs)} ms`);
    if (tookMs > tally.slowestMs) tally = { cases, slowestMs: tookMs, slowestCase: number };
  }
  return tally;
}
