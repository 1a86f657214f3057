import { expect, test } from "bun:test";

import { sourceCommand } from "../../torture/program.ts";
import { runTorture } from "../../torture/run.ts";
import { versitygwMissing } from "../support/s3-servers/versitygw.ts";

/** A short run with seeds of its own each time; `bun run torture` is the long one. */
const kills = 24;
const longestSeconds = 15;
const longestTestMs = 110_000;

for (let [on, faultShare] of [
  ["local", 0],
  ["s3", 0],
  ["s3", 0.2],
] as const) {
  let name = `nothing is lost or left behind by a server that is killed again and again: ${on}`;
  test.concurrent(
    faultShare > 0 ? `${name}, a fifth of its calls failing` : name,
    async () => {
      let seed = crypto.randomUUID().slice(0, 8);
      let { tally, violations } = await runTorture({
        seed,
        kills,
        seconds: longestSeconds,
        on: [on],
        s3Server: versitygwMissing() === null ? "versitygw" : "miniflare",
        worlds: 1,
        command: sourceCommand,
        faultShare,
        // strace starts the source in seconds; the binary has these kills in the long run
        syscalls: false,
      });
      expect({ seed, violations }).toEqual({ seed, violations: [] });
      expect(tally.kills).toBeGreaterThan(0);
    },
    longestTestMs,
  );
}
