import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const checkout = join(import.meta.dir, "..", "..");

export interface PutResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Where `put` of these tests keeps what it remembers, and files to send. */
export function createPutFolder() {
  let folder = mkdtempSync(join(tmpdir(), "s3-uploads-put-"));
  return {
    path: folder,
    /** Starts `s3-uploads put` as a process of its own; nothing of this process's environment counts. */
    start(args: string[], env: Record<string, string> = {}, stdin: Blob | "pipe" | null = null) {
      let child = Bun.spawn([process.execPath, "src/main.ts", "put", ...args], {
        cwd: checkout,
        env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...env },
        stdin,
        stdout: "pipe",
        stderr: "pipe",
      });
      let result = async (): Promise<PutResult> => {
        let [stdout, stderr, exitCode] = await Promise.all([
          new Response(child.stdout).text(),
          new Response(child.stderr).text(),
          child.exited,
        ]);
        return { exitCode, stdout, stderr };
      };
      return { child, result: result() };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
