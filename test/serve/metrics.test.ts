import { afterAll, beforeAll, expect, test } from "bun:test";

import { expectError } from "../support/expect-error.ts";
import { createWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld("s3", { S3_UPLOADS_BLOCKED_EXTENSIONS: "exe" });
});
afterAll(() => world.close());

/** Every sample of the text format by its name with labels. */
async function samples(): Promise<Map<string, number>> {
  let answer = await fetch(`${world.server.base}/metrics`);
  expect(answer.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  let lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      let [, name = "", value = ""] = /^([a-z0-9_]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [];
      return [name, Number(value)];
    }),
  );
}

function upload(...names: string[]): Promise<Response> {
  let form = new FormData();
  for (let name of names) form.append("file", new File([`bytes of ${name}`], name));
  return fetch(`${world.server.base}/upload`, { method: "POST", body: form });
}

test("files, bytes, failures, requests and calls to the bucket are counted", async () => {
  let { base } = world.server;
  let before = await samples();
  expect((await upload("a.txt", "b.txt")).status).toBe(201);
  expect((await upload("c.txt", "d.exe", "e.exe")).status).toBe(207);
  expect((await upload("f.exe")).status).toBe(415);
  expect((await upload("g.exe", "h.exe")).status).toBe(415);
  expect((await fetch(`${base}/files/2.json`)).status).toBe(200);
  expect((await fetch(`${base}/files/77.json`)).status).toBe(404);
  expect((await fetch(`${base}/no-such-page`)).status).toBe(404);
  let after = await samples();
  let rise = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  expect(rise("s3_uploads_files_recorded_total")).toBe(3);
  expect(rise("s3_uploads_recorded_bytes_total")).toBe(3 * "bytes of a.txt".length);
  expect(rise('s3_uploads_errors_total{code="type_not_allowed"}')).toBe(5);
  expect(rise('s3_uploads_errors_total{code="not_found"}')).toBe(2);
  expect(rise('s3_uploads_s3_calls_total{action="put",outcome="done"}')).toBe(3);
  let requests = (method: string, route: string, status: number) =>
    rise(`s3_uploads_http_requests_total{method="${method}",route="${route}",status="${status}"}`);
  expect(requests("POST", "/-/s3-uploads/upload", 201)).toBe(1);
  expect(requests("POST", "/-/s3-uploads/upload", 207)).toBe(1);
  expect(requests("POST", "/-/s3-uploads/upload", 415)).toBe(2);
  expect(requests("GET", "/-/s3-uploads/files/:id", 200)).toBe(1);
  expect(requests("GET", "/-/s3-uploads/files/:id", 404)).toBe(1);
  expect(requests("GET", "", 404)).toBe(1);
});

test("how things stand is told as it is", async () => {
  let now = await samples();
  let rest = { s3_uploads_ready: 1, s3_uploads_open_intents: 0, s3_uploads_resumable_uploads: 0 };
  for (let [name, value] of Object.entries(rest)) expect([name, now.get(name)]).toEqual([name, value]);
  // The request that asks.
  expect(now.get("s3_uploads_http_requests_in_flight")).toBe(1);
  expect(now.get("s3_uploads_memory_limit_bytes")).toBe(256 * 1024 * 1024);
  expect(now.get("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(now.get("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  let startedSeconds = now.get("process_start_time_seconds") ?? 0;
  expect(Math.abs(startedSeconds - Date.now() / 1000)).toBeLessThan(600);
  let headers = { "Tus-Resumable": "1.0.0", "Upload-Length": "10" };
  let created = await fetch(`${world.server.base}/tus`, { method: "POST", headers });
  expect(created.status).toBe(201);
  expect((await samples()).get("s3_uploads_resumable_uploads")).toBe(1);
});

test("unknown methods and addresses make no labels of their own", async () => {
  for (let method of ["PROPFIND", "MKCOL", "LOCK"]) {
    await fetch(`${world.server.base}/made-up-${method}`, { method });
  }
  let names = [...(await samples()).keys()].join("\n").toLowerCase();
  expect(names).toContain('method="other"');
  expect(names).not.toMatch(/propfind|mkcol|lock/);
  expect(names).not.toContain("made-up");
});

function tokenWith(...args: string[]): string {
  let command = [process.execPath, "src/main.ts", "token", "create", "--data-dir", world.server.dataDir];
  let env = { PATH: process.env["PATH"] ?? "" };
  let { stdout, stderr, exitCode } = Bun.spawnSync(
    [...command, "--name", `t${args.length}${args.at(1)}`, ...args],
    { env },
  );
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString().trim();
}

function ask(token: string): Promise<Response> {
  return fetch(`${world.server.base}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
}

test("they are not for those who may not view, or see a folder only", async () => {
  await expectError(await ask(tokenWith("--scope", "upload")), 403, "permission_denied");
  let folder = tokenWith("--scope", "view", "--prefix", "acme");
  await expectError(await ask(folder), 403, "permission_denied");
  expect((await ask(tokenWith("--scope", "view"))).status).toBe(200);
});
