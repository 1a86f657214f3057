import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";

import { MIB } from "../../src/units.ts";
import { startCuttingProxy } from "../resume/cutting-proxy.ts";
import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { eventually } from "../support/server.ts";
import { createPutFolder } from "./world.ts";

const slowMs = 120_000;
const fileBytes = 90 * MIB;

let folder = createPutFolder();
let path = join(folder.path, "film.mov");
let bytes = bytesOf(fileBytes);
let sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
let world: World;

beforeAll(() => writeFileSync(path, bytes));
afterAll(() => folder.remove());
beforeEach(async () => {
  world = await createWorld("s3");
});
afterEach(() => world.close());

async function expectStored(url: string): Promise<void> {
  let answer = await fetch(
    url
      .trim()
      .replace(/http:\/\/[^/]+/, new URL(world.server.base).origin)
      .replace(/\/download$/, ".json"),
  );
  let { file } = (await answer.json()) as { file: { checksum_sha256: string; size_bytes: number } };
  expect([file.size_bytes, file.checksum_sha256]).toEqual([fileBytes, sha256]);
  let [object] = world.fake!.objects.values();
  expect(new Bun.CryptoHasher("sha256").update(object!.bytes).digest("hex")).toBe(sha256);
  await world.settled(1);
}

const remembered = () => readdirSync(join(folder.path, ".local", "state", "s3-uploads"));

describe("put with a large file", () => {
  test(
    "goes on where it was interrupted when the same command is given again",
    async () => {
      let proxy = await startCuttingProxy(
        () => Number(new URL(world.server.base).port),
        () => Infinity,
      );
      let to = `http://127.0.0.1:${proxy.port}${new URL(world.server.base).pathname}`;
      let first = folder.start(["--to", to, path]);
      await eventually(
        () => world.fake!.bytesHeld,
        (held) => held >= 24 * MIB,
        slowMs,
      );
      first.child.kill("SIGINT");
      let interrupted = await first.result;
      expect([interrupted.exitCode, interrupted.stdout]).toEqual([130, ""]);
      expect(interrupted.stderr).toContain("the same command goes on where it stopped");
      expect(remembered().map(extname).toSorted()).toEqual([".run", ".url"]);
      let sentBefore = proxy.sentBytes;

      let second = await folder.start(["--to", to, path]).result;
      let sentAfter = proxy.sentBytes - sentBefore;
      await proxy.stop();
      expect([second.exitCode, second.stderr]).toEqual([0, ""]);
      expect(sentAfter).toBeLessThan(fileBytes - 16 * MIB);
      expect(remembered()).toHaveLength(0);
      await expectStored(second.stdout);
    },
    slowMs,
  );

  for (let way of ["a file", "standard input"] as const) {
    test(
      `brings ${way} through cut connections and a server that dies`,
      async () => {
        let proxy = await startCuttingProxy(
          () => Number(new URL(world.server.base).port),
          () => 4 * MIB + Math.floor(Math.random() * 20 * MIB),
        );
        let to = `http://127.0.0.1:${proxy.port}${new URL(world.server.base).pathname}`;
        let input = way === "a file" ? null : new Blob([bytes]);
        let put = folder.start(["--to", to, input ? "-" : path], {}, input);
        await eventually(
          () => world.fake!.bytesHeld,
          (held) => held >= 16 * MIB,
          slowMs,
        );
        await world.server.kill();
        await world.restart();
        let { exitCode, stdout, stderr } = await put.result;
        let { cuts } = proxy;
        await proxy.stop();
        expect([exitCode, stderr, cuts > 2]).toEqual([0, "", true]);
        await expectStored(stdout);
      },
      slowMs,
    );
  }
});
