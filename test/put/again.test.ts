import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { appendFileSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { MIB } from "../../src/units.ts";
import { startCuttingProxy } from "../resume/cutting-proxy.ts";
import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { eventually } from "../support/server.ts";
import { createPutFolder } from "./world.ts";

const files = 8;
/** So that there is something to interrupt. */
const slowBytesPerSecond = 4 * MIB;
const slowMs = 60_000;

setDefaultTimeout(slowMs);

let folder = createPutFolder();
let batch = join(folder.path, "batch");
let world: World;
let proxy: Awaited<ReturnType<typeof startCuttingProxy>>;

beforeAll(() => {
  mkdirSync(batch);
  for (let n = 1; n <= files; n++) writeFileSync(join(batch, `${n}.bin`), `${n}${"x".repeat(MIB / 4)}`);
});
afterAll(() => folder.remove());
beforeEach(async () => {
  world = await createWorld("local");
  let port = () => Number(new URL(world.server.base).port);
  proxy = await startCuttingProxy(port, () => Infinity, slowBytesPerSecond);
});
afterEach(async () => {
  await proxy.stop();
  await world.close();
});

function start(...args: string[]) {
  return folder.start(["--to", `http://127.0.0.1:${proxy.port}`, "--jobs", "1", ...args]);
}

const remembered = () => readdirSync(join(folder.path, ".local", "state", "s3-uploads"));
const linesOf = (text: string) => text.split("\n").filter(Boolean);

describe("put, given again after it was", () => {
  for (let signal of ["SIGINT", "SIGKILL"] as const) {
    test(`ended by ${signal}, sends the files that are missing and no other`, async () => {
      let first = start(batch);
      await eventually(
        () => world.census().rows,
        (rows) => rows >= 3,
      );
      first.child.kill(signal);
      await first.result;
      let second = await start(batch).result;
      expect([second.exitCode, second.stderr]).toEqual([0, ""]);
      expect(linesOf(second.stdout)).toHaveLength(files);
      await world.settled(files);
      expect(remembered()).toEqual([]);
    });
  }

  test("complete, sends everything once more", async () => {
    for (let run of [1, 2]) {
      expect((await start(batch).result).exitCode).toBe(0);
      await world.settled(run * files);
    }
  });

  test("refused a file, sends that file and those that are not there any more", async () => {
    let missing = join(folder.path, "later.txt");
    let first = await start(batch, missing).result;
    expect(first.exitCode).toBe(1);
    let [one] = linesOf(first.stdout);
    await fetch(one!.replace("/download", ""), { method: "DELETE" });
    writeFileSync(missing, "here it is");
    let second = await start(batch, missing).result;
    expect([second.exitCode, linesOf(second.stdout).length]).toEqual([0, files + 1]);
    expect(linesOf(second.stdout).filter((url) => linesOf(first.stdout).includes(url))).toHaveLength(
      files - 1,
    );
    await world.settled(files + 1);
  });

  test("while the server can't answer, does not say that what it sent before is stored", async () => {
    let status = 0;
    using front = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => {
        if (status !== 0) return new Response(null, { status });
        return fetch(new URL(new URL(request.url).pathname, world.server.base), request);
      },
    });
    let missing = join(folder.path, "nowhere.txt");
    let page = new URL(new URL(world.server.base).pathname, front.url);
    let args = ["--to", page.href, join(batch, "2.bin"), missing];
    let again = () => folder.start(args).result;
    let first = await again();
    expect([first.exitCode, linesOf(first.stdout).length]).toEqual([1, 1]);
    status = 502;
    let second = await again();
    expect([second.exitCode, second.stdout]).toEqual([1, ""]);
    expect(second.stderr).toMatch(
      /2\.bin: it was stored by an earlier run, and the server can't be asked whether it is there still: /,
    );
    status = 403;
    expect((await again()).stdout).toBe(first.stdout);
    await world.settled(1);
  });

  test("asks for what it sent at the address that it was given, wherever the public one leads", async () => {
    using front = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        let answer = await fetch(new URL(new URL(request.url).pathname, world.server.base), request);
        if (request.method !== "PUT") return answer;
        let told = (await answer.text()).replaceAll('"url":"/', '"url":"https://files.example.invalid/');
        return new Response(told, answer);
      },
    });
    let page = new URL(new URL(world.server.base).pathname, front.url);
    let again = () =>
      folder.start(["--to", page.href, join(batch, "3.bin"), join(folder.path, "not-here.txt")]).result;
    let first = await again();
    expect([first.exitCode, first.stdout.split("/", 3).join("/")]).toEqual([
      1,
      "https://files.example.invalid",
    ]);
    let { exitCode, stdout } = await again();
    expect([exitCode, stdout]).toEqual([1, first.stdout]);
    await world.settled(1);
  });

  test("refused a file, but with another token, sends everything under that", async () => {
    let missing = join(folder.path, "never.txt");
    expect((await start(batch, missing).result).exitCode).toBe(1);
    let create = ["token", "create", "--data-dir", world.server.dataDir, "--name", "other"];
    let token = Bun.spawnSync([process.execPath, "src/main.ts", ...create]);
    let second = await start(batch, missing, "--token", token.stdout.toString().trim()).result;
    expect([second.exitCode, linesOf(second.stdout).length]).toEqual([1, files]);
    await world.settled(2 * files);
  });
});

describe("put with a file that", () => {
  let path = join(folder.path, "large.bin");
  beforeEach(() => writeFileSync(path, bytesOf(40 * MIB)));

  for (let [what, change] of [
    ["is changed", () => appendFileSync(path, "more")],
    ["becomes shorter", () => truncateSync(path, MIB)],
  ] as const) {
    test(`${what} while it is sent fails at once, and leaves nothing`, async () => {
      let { result } = start(path);
      await eventually(
        () => proxy.sentBytes,
        (sent) => sent > 2 * MIB,
      );
      change();
      let { exitCode, stdout, stderr } = await result;
      expect([exitCode, stdout]).toEqual([1, ""]);
      expect(stderr).toStartWith(`failed  ${path}: it `);
      expect(stderr).toMatch(/ it (?:was changed|became shorter) while it was sent/);
      await world.settled(0);
    });
  }
});
