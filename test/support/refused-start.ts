import { join } from "node:path";

const checkout = join(import.meta.dir, "..", "..");

/** Runs `serve` where it must not come up; a server that does is killed after `limitMs`. */
export async function refusedStart(
  dataDir: string,
  env: Record<string, string> = {},
  limitMs = 25_000,
): Promise<{ exitCode: number | null; stderr: string; stdout: string }> {
  return run(["serve", "--port", "0", "--data-dir", dataDir], env, limitMs);
}

/** Runs one command of the program to its end. */
export async function run(
  argv: string[],
  env: Record<string, string> = {},
  limitMs = 25_000,
): Promise<{ exitCode: number | null; stderr: string; stdout: string }> {
  let program = Bun.spawn([process.execPath, "src/main.ts", ...argv], {
    cwd: checkout,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  let [stdout, stderr] = await Promise.all([
    new Response(program.stdout).text(),
    new Response(program.stderr).text(),
  ]);
  await program.exited;
  return { exitCode: program.exitCode, stderr, stdout };
}
