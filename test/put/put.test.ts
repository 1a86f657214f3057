import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { MIB } from "../../src/units.ts";
import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { startNarrowProxy } from "../support/narrow-proxy.ts";
import { eventually } from "../support/server.ts";
import { createPutFolder } from "./world.ts";

/** Longer than put waits for a server that is not there. */
setDefaultTimeout(60_000);

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
    let missed = await folder.start(["--to", `${world.server.base}/nowhere`, "package.json"]).result;
    expect([missed.exitCode, missed.stderr]).toEqual([
      1,
      `failed  package.json: ${world.server.base}/nowhere/upload/package.json answered 404: check --to.\n`,
    ]);
  });

  test("finds the page of a server that is named without its path", async () => {
    let { origin } = new URL(world.server.base);
    let { exitCode, stdout } = await folder.start(["--to", origin, join(folder.path, "batch", "a.txt")])
      .result;
    expect(exitCode).toBe(0);
    expect(stdout).toStartWith(`${world.server.base}/files/`);
  });

  test("gives up an address where nobody answers, once for all files", async () => {
    let { exitCode, stdout, stderr } = await folder.start([
      "--to",
      "http://127.0.0.1:1",
      join(folder.path, "batch"),
    ]).result;
    expect([exitCode, stdout, stderr]).toEqual([
      1,
      "",
      "s3-uploads: http://127.0.0.1:1 can't be reached: connection refused\n",
    ]);
  });

  test("says when there is no file to send", async () => {
    mkdirSync(join(folder.path, "nothing"), { recursive: true });
    writeFileSync(join(folder.path, "nothing", ".hidden"), "not sent\n");
    let { exitCode, stdout, stderr } = await put([join(folder.path, "nothing")]);
    expect([exitCode, stdout, stderr]).toEqual([
      0,
      "",
      "There is no file to send: hidden files and links in folders are left out.\n",
    ]);
  });

  test("ends when it is interrupted, also while its input stands still", async () => {
    let { child, result } = folder.start(["--to", world.server.base, "-"], {}, "pipe");
    // It listens to signals before it reads.
    await eventually(
      () => readFileSync(`/proc/${child.pid}/status`, "utf8"),
      (status) => (Number.parseInt(/SigCgt:\s+\S*(\S)/.exec(status)?.[1] ?? "0", 16) & 2) !== 0,
    );
    child.kill("SIGINT");
    let { exitCode, stderr } = await result;
    expect([exitCode, stderr]).toEqual([130, "Interrupted.\n"]);
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

  test("refuses to read standard input twice, and a name that no file would get", async () => {
    for (let [args, why] of [
      [["-", "-"], "Standard input can be read once"],
      [["x", "--name", "y"], "--name is for standard input"],
    ] as const) {
      let { exitCode, stdout, stderr } = await put([...args]);
      expect([exitCode, stdout]).toEqual([1, ""]);
      expect(stderr).toStartWith(`s3-uploads: ${why}`);
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

test("put gets a large file past a proxy that refuses large requests", async () => {
  let { origin, pathname } = new URL(world.server.base);
  let between = startNarrowProxy(origin);
  let file = join(folder.path, "large.bin");
  writeFileSync(file, bytesOf(9 * MIB));
  let to = `http://127.0.0.1:${between.port}${pathname}`;
  let { result } = folder.start(["--to", to, file], { S3_UPLOADS_RESUMABLE_FROM_MB: "4" });
  let { exitCode, stdout, stderr } = await result;
  await between.stop();
  expect([exitCode, stderr, between.refused > 0]).toEqual([0, "", true]);
  expect(await rowAt(stdout.trim().replace(/^http:..[^/]+/, origin))).toMatchObject({ size_bytes: 9 * MIB });
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
