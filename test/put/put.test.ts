import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createWorld, type World } from "../serve/world.ts";
import { createPutFolder } from "./world.ts";

let folder = createPutFolder();
let world: World;

beforeAll(async () => {
  world = await createWorld("local");
  mkdirSync(join(folder.path, "batch", "inner"), { recursive: true });
  writeFileSync(join(folder.path, "batch", "a.txt"), "first\n");
  writeFileSync(join(folder.path, "batch", "inner", "ü ?#%.txt"), "second\n");
  writeFileSync(join(folder.path, "batch", "empty.bin"), "");
  writeFileSync(join(folder.path, "batch", ".hidden"), "not sent\n");
  symlinkSync("a.txt", join(folder.path, "batch", "link.txt"));
});

afterAll(async () => {
  await world.close();
  folder.remove();
});

/** @param args `put`'s, after `--to` and the server's address */
function put(args: string[], env: Record<string, string> = {}, stdin: Blob | null = null) {
  return folder.start(["--to", world.server.base, ...args], env, stdin).result;
}

async function rowAt(url: string): Promise<{ filename: string; size_bytes: number }> {
  let answer = await fetch(url.replace(/\/download$/, ".json"));
  return ((await answer.json()) as { file: { filename: string; size_bytes: number } }).file;
}

describe("put", () => {
  test("sends a folder's files and prints their addresses, one a line", async () => {
    let { exitCode, stdout, stderr } = await put([join(folder.path, "batch"), "--jobs", "1"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    let rows = await Promise.all(stdout.trim().split("\n").map(rowAt));
    expect(rows.map(({ filename, size_bytes }) => [filename, size_bytes])).toEqual([
      ["a.txt", 6],
      ["empty.bin", 0],
      ["ü ?#%.txt", 7],
    ]);
  });

  test("sends standard input under the name that it is given", async () => {
    let { exitCode, stdout } = await put(["-", "--name", "dump.sql"], {}, new Blob(["select 1;\n"]));
    expect(exitCode).toBe(0);
    expect(await rowAt(stdout.trim())).toMatchObject({ filename: "dump.sql", size_bytes: 10 });
  });

  test("tells of each file in JSON, and fails when one could not be sent", async () => {
    let { exitCode, stdout } = await put([
      "--json",
      "--jobs=1",
      join(folder.path, "batch", "a.txt"),
      "no-such-file",
    ]);
    expect(exitCode).toBe(1);
    let [first, second] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { path: string; success: boolean; duplicate_of?: number });
    expect(first).toMatchObject({ success: true, duplicate_of: 1, file: { size_bytes: 6 } });
    expect(second).toEqual({
      path: "no-such-file",
      success: false,
      error: { code: "invalid_parameter", message: "can't be read: no such file or directory" },
    } as never);
  });

  test("says what is wrong with an address that is another server's", async () => {
    let elsewhere = Bun.serve({ port: 0, fetch: () => new Response("hello", { status: 404 }) });
    let { result } = folder.start([
      "--to",
      `127.0.0.1:${elsewhere.port}`,
      join(folder.path, "batch", "a.txt"),
    ]);
    let { exitCode, stderr } = await result;
    await elsewhere.stop(true);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("answered 404: check --to.");
  });

  test("refuses an address that is none, and too many jobs", async () => {
    for (let wrong of [
      ["--to", "ftp://x"],
      ["--jobs", "0"],
      ["--jobs", "many"],
    ]) {
      let { exitCode, stderr } = await folder.start([...wrong, "x"]).result;
      expect([exitCode, stderr.startsWith(`s3-uploads: ${wrong[0]} must be`)]).toEqual([1, true]);
    }
  });

  test("tries again what a busy server, or a broken line, has refused, without storing it twice", async () => {
    let answers = [
      () => new Response("{}", { status: 503, headers: { "Retry-After": "0" } }),
      // It is stored, and the answer is lost.
      async (request: Request) => {
        await fetch(request);
        return new Response("gateway", { status: 502 });
      },
    ];
    let passed = 0;
    let between = Bun.serve({
      port: 0,
      async fetch(request) {
        let path = new URL(request.url).pathname;
        let answer = answers[passed++];
        let onward = new Request(`${new URL(world.server.base).origin}${path}`, {
          method: request.method,
          headers: { "Idempotency-Key": request.headers.get("Idempotency-Key") ?? "" },
          body: await request.bytes(),
        });
        return answer ? answer(onward) : fetch(onward);
      },
    });
    let { pathname } = new URL(world.server.base);
    writeFileSync(join(folder.path, "patient.txt"), "patience\n");
    let before = world.census().rows;
    let { result } = folder.start([
      "--to",
      `http://127.0.0.1:${between.port}${pathname}`,
      join(folder.path, "patient.txt"),
    ]);
    let { exitCode, stderr } = await result;
    await between.stop(true);
    expect([exitCode, stderr, passed]).toEqual([0, "", 3]);
    expect(world.census().rows).toBe(before + 1);
  });
});

test("put sends the token of its environment, and tells what a refusal says", async () => {
  let guarded = await createWorld("local", { S3_UPLOADS_ALLOW_ANONYMOUS: "none" });
  let token = Bun.spawnSync(
    [process.execPath, "src/main.ts", "token", "create", "--data-dir", guarded.server.dataDir],
    { cwd: join(import.meta.dir, "..", ".."), env: {} },
  );
  let file = join(folder.path, "batch", "a.txt");
  let to = ["--to", guarded.server.base];
  let refused = await folder.start([...to, file]).result;
  let taken = await folder.start([...to, file], { S3_UPLOADS_TOKEN: token.stdout.toString().trim() }).result;
  await guarded.close();
  expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toStartWith(`failed  ${file}: `);
  expect([taken.exitCode, taken.stderr]).toEqual([0, ""]);
});
