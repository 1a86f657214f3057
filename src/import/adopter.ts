import type { NewFileRecord } from "../domain.ts";
import type { FileRepository } from "../record/file-repository.ts";
import { SECOND_MS } from "../units.ts";
import { addProblem, type ImportReport, type Problem } from "./report.ts";

/** A row is on disk when a hundred more have come or a second has passed: a kill costs that much work. */
const batchRows = 100;
const batchMs = SECOND_MS;

/** What became of one object. */
export type Outcome =
  | { row: NewFileRecord; kind: keyof ImportReport["adopted"]; problem: Problem | null }
  | { problem: Problem }
  | { skip: keyof ImportReport["skipped"] }
  | { interrupted: true };

/**
 * Takes outcomes in their order, writes rows in batches, and counts.
 *
 * @param options.sharing the rows share objects
 * @param options.giveUp is asked after each outcome, and ends the work with its sentence
 */
export async function adoptAll(
  outcomes: AsyncIterable<Outcome>,
  repository: Pick<FileRepository, "adopt">,
  report: ImportReport,
  options: { sharing: boolean; giveUp: (outcome: Outcome) => string | null },
): Promise<void> {
  let batch: { row: NewFileRecord; kind: keyof ImportReport["adopted"] }[] = [];

  async function write(): Promise<void> {
    let written = batch;
    if (written.length === 0) return;
    batch = [];
    let rows = written.map(({ row }) => row);
    let { skipped, refused } = await repository.adopt(rows, { sharing: options.sharing });
    report.skipped.copy += skipped.length;
    for (let { position, reason } of refused) {
      let key = rows[position]?.s3_key ?? "";
      addProblem(report, { key, what: "refused", reason: `the catalog does not take its row: ${reason}` });
    }
    let left = new Set([...skipped, ...refused.map(({ position }) => position)]);
    for (let [position, { kind }] of written.entries()) if (!left.has(position)) report.adopted[kind]++;
  }

  function take(outcome: Outcome): void {
    if ("skip" in outcome) report.skipped[outcome.skip]++;
    if ("problem" in outcome && outcome.problem) addProblem(report, outcome.problem);
    if ("row" in outcome) batch.push(outcome);
  }

  let iterator = outcomes[Symbol.asyncIterator]();
  try {
    for (;;) {
      let coming = iterator.next();
      // It may fail while rows are being written, when nobody waits for it yet.
      coming.catch(() => {});
      if (batch.length >= batchRows || !(await comesWithin(coming, batchMs))) await write();
      let { done, value } = await coming;
      if (done) break;
      take(value);
      let sentence = options.giveUp(value);
      if (sentence !== null) {
        report.brokenOff = sentence;
        break;
      }
    }
  } finally {
    await write();
    await iterator.return?.();
  }
}

/** A large object may keep the others' turn from coming for minutes: what is there already is written meanwhile. */
async function comesWithin(coming: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  let came = await Promise.race([coming.then(yes, yes), late]);
  clearTimeout(timer);
  return came;
}

function yes(): true {
  return true;
}
