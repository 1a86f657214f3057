/**
 * Fuzzes what reads bytes that strangers send: `bun run fuzz --cases 100000 --seed 1`. Each target runs in a process of its
 * own, so that a crash or a hang is seen from outside. Exits with 1 when anything was found.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";

import { MIB, SECOND_MS } from "../src/units.ts";
import { corpusMissing } from "../test/support/corpus.ts";
import { batchCases, type Progress, TARGET_NAMES, type TargetName, TARGETS } from "./targets.ts";

const defaultCases = 100_000;
/** No batch takes a tenth of it: a case that hangs. */
const patienceMs = 120 * SECOND_MS;
/** From the first tenth to the end; what grows with each case grows by more. */
const maxGrowthBytes = 64 * MIB;

let { values } = parseArgs({
  options: { cases: { type: "string" }, seed: { type: "string" }, only: { type: "string" } },
});
let cases = Number(values.cases ?? defaultCases);
let seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
let only = TARGET_NAMES.find((name) => name === values.only);
if (!(cases > 0) || !Number.isSafeInteger(seed) || (values.only !== undefined && !only)) {
  console.error(`usage: bun run fuzz [--cases N] [--seed N] [--only ${TARGET_NAMES.join("|")}]`);
  process.exit(2);
}

console.log(`${cases} cases, seed ${seed}`);
if (corpusMissing) console.log(`files made by code only: ${corpusMissing}`);
let failed = false;
for (let name of only ? [only] : TARGET_NAMES) {
  let share = only ? cases : Math.round((cases * TARGETS[name].share) / 100);
  if (!(await run(name, share))) failed = true;
}
console.log(failed ? "something was found" : "nothing was found");
process.exit(failed ? 1 : 0);

/** @returns whether all went well */
async function run(name: TargetName, share: number): Promise<boolean> {
  let beganMs = performance.now();
  let early: Progress | null = null;
  let last: Progress | null = null;
  let complaint = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let child = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), name, `${seed}`, `${share}`], {
    stdout: "inherit",
    stderr: "pipe",
    ipc(progress: Progress) {
      last = progress;
      if (progress.done >= share / 10) early ??= progress;
      waitAgain();
    },
  });
  function waitAgain(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      complaint = `a case hangs for ${patienceMs / SECOND_MS} s`;
      child.kill("SIGKILL");
    }, patienceMs);
  }
  waitAgain();
  let stderr = await new Response(child.stderr).text();
  let exitCode = await child.exited;
  clearTimeout(timer);

  let seen = last as Progress | null;
  let growthBytes = (seen?.rssBytes ?? 0) - ((early as Progress | null)?.rssBytes ?? 0);
  if (complaint === "" && exitCode !== 0)
    complaint = `the process ended with ${child.signalCode ?? exitCode}`;
  if (complaint === "" && growthBytes > maxGrowthBytes) complaint = "memory grows";
  let seconds = ((performance.now() - beganMs) / SECOND_MS).toFixed(0);
  let figures = [
    `${seen?.done ?? 0} cases in ${seconds} s`,
    `slowest ${seen?.slowestMs.toFixed(0) ?? "?"} ms`,
    `RSS ${inMib(seen?.rssBytes ?? 0)} MiB (${growthBytes < 0 ? "" : "+"}${inMib(growthBytes)} since a tenth)`,
  ];
  if (seen && seen.judgedByBun > 0)
    figures.push(`${seen.judgedByBun} judged by Bun too, ${seen.bothAccepted} taken by both`);
  console.log(`${complaint === "" ? "ok  " : "FAIL"}  ${TARGETS[name].what}: ${figures.join(", ")}`);
  if (complaint === "") return true;
  let again = `--only ${name} --seed ${seen?.batchSeed ?? seed} --cases ${batchCases}`;
  console.log(`      ${complaint}; again with: bun run fuzz ${again}\n${stderr.trim()}`);
  return false;
}

function inMib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}
