/** One target in a process of its own: argv is the target, the seed and the cases. Tells its parent about each batch. */
import { batchCases, type Progress, type TargetName, TARGETS } from "./targets.ts";

let [name = "", seed = "", cases = ""] = process.argv.slice(2);
let { fuzz } = TARGETS[name as TargetName];
let left = Number(cases);
let progress: Progress = {
  done: 0,
  batchSeed: 0,
  slowestMs: 0,
  rssBytes: 0,
  judgedByBun: 0,
  bothAccepted: 0,
};

for (let batch = 0; left > 0; batch++) {
  progress.batchSeed = Number(seed) + batch;
  process.send?.(progress);
  let now = Math.min(batchCases, left);
  let tally: Awaited<ReturnType<typeof fuzz>> & { judgedByBun?: number; bothAccepted?: number };
  tally = await fuzz(progress.batchSeed, now);
  // A rejection that nobody waits for shows in the turn after.
  await new Promise((resolve) => setImmediate(resolve));
  Bun.gc(true);
  left -= now;
  progress = {
    ...progress,
    done: progress.done + now,
    slowestMs: Math.max(progress.slowestMs, tally.slowestMs),
    rssBytes: process.memoryUsage.rss(),
    judgedByBun: progress.judgedByBun + (tally.judgedByBun ?? 0),
    bothAccepted: progress.bothAccepted + (tally.bothAccepted ?? 0),
  };
}
process.send?.(progress);
