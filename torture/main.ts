/**
 * Kills the compiled server again and again under uploads and deletions, and checks from outside that it keeps its
 * promises. Shares no code with it. Exits with 1 when a promise was broken.
 */
import { parseArgs } from "node:util";

import { versitygwMissing } from "../test/support/s3-servers/versitygw.ts";
import { binaryCommand, sourceCommand } from "./program.ts";
import { reportOf, violationText } from "./report.ts";
import { runTorture } from "./run.ts";

const help = `bun run torture [options]
  --kills N      ends after so many kills (default 200)
  --seconds S    ends after so much time at the latest (default 3600)
  --seed X       any text; the same seed draws the same files, requests and kills (default: a new one)
  --on PLACE     local, s3 or both (default both)
  --server NAME  versitygw (default where it is installed) or miniflare
  --worlds N     servers at the same time on each storage (default 2)
  --faults PCT   share of S3 calls that go wrong as well, in percent (default 0)
  --source       runs the source instead of dist/s3-uploads
`;
const killsPerLine = 10;

let { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seconds: { type: "string", default: "3600" },
    seed: { type: "string", default: crypto.randomUUID().slice(0, 8) },
    on: { type: "string", default: "both" },
    server: { type: "string", default: versitygwMissing() === null ? "versitygw" : "miniflare" },
    worlds: { type: "string", default: "2" },
    faults: { type: "string", default: "0" },
    source: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
let places = { local: ["local"], s3: ["s3"], both: ["local", "s3"] } as const;
let on = places[values.on as keyof typeof places];
let s3Server = (["versitygw", "miniflare"] as const).find((name) => name === values.server);
let numbers = [values.kills, values.seconds, values.worlds, values.faults].map(Number);
if (values.help || !on || !s3Server || !numbers.every((number) => number >= 0)) {
  process.stdout.write(help);
  process.exit(values.help ? 0 : 2);
}

let [kills = 0, seconds = 0, worlds = 1, faultPercent = 0] = numbers;
let syscalls = Bun.which("strace") !== null;
let { seed } = values;
console.log(
  `seed ${seed}, ${kills} kills on ${on.join(" and ")}, S3 by ${s3Server}, ${faultPercent} % faults`,
);
if (!syscalls) console.log("strace is not installed: no kills at system calls");

let began = performance.now();
let result = await runTorture({
  seed,
  kills,
  seconds,
  on,
  s3Server,
  worlds,
  command: values.source ? sourceCommand : binaryCommand,
  faultShare: faultPercent / 100,
  syscalls,
  onKill(tally) {
    if (tally.kills % killsPerLine !== 0) return;
    let line = [
      `${String(tally.kills).padStart(5)} kills`,
      `${((performance.now() - began) / 1000).toFixed(0)} s`,
      `${tally.acknowledged} uploads and ${tally.deletionsAcknowledged} deletions acknowledged`,
    ];
    console.log(line.join(", "));
  },
});
console.log(reportOf(result));
for (let violation of result.violations) console.log(violationText(violation, seed));
process.exit(result.violations.length > 0 ? 1 : 0);
