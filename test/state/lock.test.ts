import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppError } from "../../src/errors.ts";
import { lockDataFolder } from "../../src/state/lock.ts";

const folder = mkdtempSync(join(tmpdir(), "lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a data folder is locked once, until it is released", () => {
  let data = join(folder, "one");
  let lock = lockDataFolder(data);
  expect(() => lockDataFolder(data)).toThrow("is already in use by another s3-uploads server");
  lock.release();
  lockDataFolder(data).release();
});

test("another process that holds the folder keeps us out until it is killed", async () => {
  let data = join(folder, "two");
  let script = `
    let { lockDataFolder } = await import(${JSON.stringify(import.meta.resolve("../../src/state/lock.ts"))});
    globalThis.held = lockDataFolder(${JSON.stringify(data)});
    console.log("locked");
    setInterval(() => {}, 1000);`;
  let child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "ignore" });
  let refusal: unknown;
  try {
    let first = await child.stdout.getReader().read();
    expect(new TextDecoder().decode(first.value)).toBe("locked\n");
    lockDataFolder(data).release();
  } catch (error) {
    refusal = error;
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
  expect(refusal).toBeInstanceOf(AppError);
  expect((refusal as AppError).code).toBe("server_busy");
  lockDataFolder(data).release();
});
