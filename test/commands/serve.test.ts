import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { run } from "../support/refused-start.ts";
import { makeDataDir, removeDataDir, startServer, type TestServer } from "../support/server.ts";

let dataDir = makeDataDir();
let server: TestServer;
beforeAll(async () => {
  server = await startServer(dataDir);
});
afterAll(async () => {
  await server.kill();
  removeDataDir(dataDir);
});

test("a port that another server listens on is refused, whatever the data folder", async () => {
  let { port } = new URL(server.base);
  let other = makeDataDir();
  let { exitCode, stderr, stdout } = await run(["serve", "--port", port, "--data-dir", other]);
  removeDataDir(other);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toContain(`Can't listen on 127.0.0.1:${port}`);
  expect(stderr).toContain("change host or port, or stop what listens there");
});

test.each([
  [["serve", "--port", "0"], 1],
  [["reconcile"], 3],
  [["snapshot", "copy.db"], 1],
  [["redact", "--gps"], 1],
] as const)("%j refuses a data folder that can't be looked into in one sentence", async (args, status) => {
  let folder = makeDataDir();
  let file = join(folder, "a-file");
  writeFileSync(file, "x");
  let { exitCode, stderr, stdout } = await run([...args, "--data-dir", file]);
  removeDataDir(folder);
  expect({ exitCode, stdout }).toEqual({ exitCode: status, stdout: "" });
  expect(stderr).toMatch(
    /^s3-uploads: Could not look at uploads\.db \(ENOTDIR.*\)\. Choose another path\.\n$/,
  );
});

test("on every address, page, upload and sign-in are told by one that others reach", async () => {
  let folder = makeDataDir();
  let open = await startServer(folder, { S3_UPLOADS_HOST: "0.0.0.0" });
  let told = open.banner().match(/http:\/\/[^/\s]+/g) ?? [];
  await open.stop();
  removeDataDir(folder);
  expect(told.length).toBeGreaterThanOrEqual(3);
  expect(new Set(told).size).toBe(1);
  expect(told[0]).not.toContain("0.0.0.0");
});
