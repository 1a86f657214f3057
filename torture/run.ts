import { startMiniflare } from "../test/support/s3-servers/miniflare.ts";
import { startVersitygw } from "../test/support/s3-servers/versitygw.ts";
import { createTally, type Tally } from "./ledger.ts";
import { createRandom } from "./random.ts";
import { runWorld, type Violation } from "./world.ts";

export interface RunOptions {
  seed: string;
  /** Ends after so many kills, or after so many seconds, whichever comes first. */
  kills: number;
  seconds: number;
  on: readonly ("local" | "s3")[];
  s3Server: "versitygw" | "miniflare";
  /** Servers at the same time on each storage: while one recovers, another is killed. */
  worlds: number;
  command: readonly string[];
  faultShare: number;
  /** False where strace is not installed. */
  syscalls: boolean;
  /** Hears of each kill. */
  onKill?: (tally: Tally) => void;
}

export interface RunResult {
  tally: Tally;
  violations: Violation[];
  seconds: number;
}

/** Kills servers until it is enough, and tells what did not hold. */
export async function runTorture(options: RunOptions): Promise<RunResult> {
  let tally = createTally();
  let random = createRandom(options.seed);
  let beganMs = performance.now();
  let seconds = () => (performance.now() - beganMs) / 1000;
  let violations: Violation[] = [];

  async function world(on: "local" | "s3", number: number): Promise<void> {
    let start = options.s3Server === "versitygw" ? startVersitygw : startMiniflare;
    let server = on === "s3" ? await start() : null;
    try {
      let name = `${on}${number}`;
      let violation = await runWorld({
        name,
        server,
        command: options.command,
        random: random.fork(name),
        tally,
        faultShare: options.faultShare,
        syscalls: options.syscalls,
        kills: Math.ceil(options.kills / options.on.length / options.worlds),
        goesOn: () => seconds() < options.seconds && violations.length === 0,
        onKill: () => options.onKill?.(tally),
      });
      if (violation) violations.push(violation);
    } finally {
      await server?.stop();
    }
  }

  let numbers = Array.from({ length: options.worlds }, (_, number) => number + 1);
  await Promise.all(options.on.flatMap((on) => numbers.map((number) => world(on, number))));
  return { tally, violations, seconds: seconds() };
}
