import { expect, test } from "bun:test";
import { openSync } from "node:fs";
import { join } from "node:path";

test("output that a full disk did not take is no success", async () => {
  let program = Bun.spawn([process.execPath, "src/main.ts", "--version"], {
    cwd: join(import.meta.dir, ".."),
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: openSync("/dev/full", "w"),
    stderr: "pipe",
  });
  let stderr = await new Response(program.stderr).text();
  expect(await program.exited).toBe(1);
  expect(stderr).toMatch(/^s3-uploads: The output could not be written: ENOSPC.*\n$/);
});
