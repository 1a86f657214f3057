import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Upload } from "tus-js-client";

import { MIB } from "../../src/units.ts";
import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { eventually } from "../support/server.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";

const fileBytes = 200_000_000;
const kills = 4;
const slowMs = 300_000;

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-clients-"));
let path = join(folder, "large.bin");
let sha256 = "";
beforeAll(() => {
  let hash = new Bun.CryptoHasher("sha256");
  let descriptor = openSync(path, "w");
  for (let written = 0; written < fileBytes;) {
    let block = bytesOf(Math.min(32 * MIB, fileBytes - written));
    // No two blocks alike: a block in the wrong place would not show else.
    new DataView(block.buffer).setUint32(0, written);
    hash.update(block);
    written += writeSync(descriptor, block);
  }
  closeSync(descriptor);
  sha256 = hash.digest("hex");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a client behind a proxy that cuts it off, while the server is killed and started anew. */
async function throughTrouble(work: (endpoint: string, world: World) => Promise<void>) {
  let world = await createWorld("s3");
  let proxy = await startCuttingProxy(
    () => Number(new URL(world.server.base).port),
    () => MIB + Math.floor(Math.random() * 29 * MIB),
  );
  let ended = false;
  async function trouble(): Promise<void> {
    for (let kill = 1; kill <= kills; kill++) {
      await eventually(
        () => ended || world.fake!.bytesHeld >= (kill / (kills + 1)) * fileBytes,
        (reached) => reached,
        slowMs,
      );
      if (ended) return;
      await world.server.kill();
      await world.restart();
    }
  }
  let { pathname } = new URL(world.server.base);
  let troubled = trouble();
  try {
    await work(`http://127.0.0.1:${proxy.port}${pathname}/tus`, world);
    ended = true;
    await troubled;
    await world.settled(1);
    let [object] = world.fake!.objects.values();
    let stored = new Bun.CryptoHasher("sha256").update(object!.bytes).digest("hex");
    expect([object!.bytes.byteLength, stored]).toEqual([fileBytes, sha256]);
    let { file } = (await (await fetch(`${world.server.base}/files/1.json`)).json()) as {
      file: { checksum_sha256: string; filename: string };
    };
    expect([file.checksum_sha256, file.filename]).toEqual([sha256, "large.bin"]);
    console.log(`${proxy.cuts} connections cut, ${kills} times killed`);
  } finally {
    ended = true;
    await troubled.catch(() => {});
    await proxy.stop();
    await world.close();
  }
}

describe("an official client, cut off again and again, while the server dies", () => {
  test(
    "tus-js-client brings 200 MB into the bucket",
    () =>
      throughTrouble(
        (endpoint) =>
          new Promise((resolve, reject) => {
            let upload = new Upload(createReadStream(path), {
              endpoint,
              chunkSize: 24 * MIB,
              retryDelays: Array.from({ length: 60 }, () => 50),
              metadata: { filename: "large.bin" },
              onSuccess: () => resolve(),
              onError: reject,
            });
            upload.start();
          }),
      ),
    slowMs,
  );

  let python = process.env["TUSPY_PYTHON"] ?? "python3";
  let found = Bun.spawnSync([python, "-c", "import tusclient"], { stderr: "ignore" }).success;
  let noTuspy = skipUnlessCi(found ? null : "tuspy is not installed: pip install tuspy==1.1.0");
  test.skipIf(noTuspy)(
    "tuspy brings 200 MB into the bucket",
    () =>
      throughTrouble(async (endpoint) => {
        let script = join(import.meta.dir, "tuspy.py");
        let client = Bun.spawn([python, script, endpoint, path, "large.bin"], {
          stdout: "pipe",
          stderr: "pipe",
        });
        let errors = new Response(client.stderr).text();
        if ((await client.exited) !== 0) throw new Error(await errors);
      }),
    slowMs,
  );
});
