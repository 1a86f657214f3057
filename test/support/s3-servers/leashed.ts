import { rm } from "node:fs/promises";

/**
 * A watchdog holds the other end of stdin: when that closes (by `stop`, or because this process ended, were it by kill -9),
 * it ends the program with all its children and removes the folder. `bun test` runs no exit handlers.
 */
const underWatch = `
  exec 3<&0
  (trap "" TERM; read -r _ <&3; kill -TERM -$$; rm -rf "$LEASH_FOLDER") &
  exec "$@" </dev/null 3<&-
`;

export interface Leashed {
  stdout: ReadableStream<Uint8Array>;
  stop(): Promise<void>;
}

/** Starts a program that can't outlive this process. */
export function spawnLeashed(command: string[], folder: string, env: Record<string, string> = {}): Leashed {
  let program = Bun.spawn(["sh", "-c", underWatch, "sh", ...command], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
    // a process group of its own
    detached: true,
    env: { PATH: process.env["PATH"] ?? "", ...env, LEASH_FOLDER: folder },
  });
  return {
    stdout: program.stdout,
    async stop() {
      await program.stdin.end();
      await program.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
