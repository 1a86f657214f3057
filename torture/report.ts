import type { RunResult } from "./run.ts";
import type { Violation } from "./world.ts";

const maxFaultLines = 20;

/** The end of a run, to read. */
export function reportOf({ tally, violations, seconds }: RunResult): string {
  return [
    "",
    `kills                        ${tally.kills} in ${seconds.toFixed(0)} s`,
    ...listOf(tally.killsBy),
    `uploads acknowledged         ${tally.acknowledged}`,
    `  without an answer, whole   ${tally.keptUnacknowledged}`,
    `  without an answer, gone    ${tally.gone}`,
    `went on where they were      ${tally.resumed}`,
    `deletions acknowledged       ${tally.deletionsAcknowledged}`,
    `  without an answer, done    ${tally.deletionsFinished}`,
    `  without an answer, undone  ${tally.deletionsUndone}`,
    `deletions that can be undone ${tally.trashed}`,
    `  undone                     ${tally.restored}`,
    `  undone too late            ${tally.undoneTooLate}`,
    `answers other than success`,
    ...listOf(tally.failures),
    `violations                   ${violations.length}`,
  ].join("\n");
}

function listOf(counts: Map<string, number>): string[] {
  let sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `  ${name.padEnd(32)} ${String(count).padStart(6)}`);
}

/** Everything that is needed to look what happened. */
export function violationText(
  { world, round, steps, faults, dataDir, log }: Violation,
  seed: string,
): string {
  let more = faults.length > maxFaultLines ? [`… and ${faults.length - maxFaultLines} more`] : [];
  return [
    "",
    `VIOLATION in world ${world}, round ${round}, seed ${seed}; its data is kept in ${dataDir}`,
    ...[...faults.slice(0, maxFaultLines), ...more].map((line) => `  ${line}`),
    ...steps.map((step) => `  before: ${step}`),
    ...log
      .split("\n")
      .slice(-15)
      .map((line) => `  log: ${line}`),
  ].join("\n");
}
