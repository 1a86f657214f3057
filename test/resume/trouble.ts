import { expect } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MIB } from "../../src/units.ts";
import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { eventually } from "../support/server.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";

const troubledBytes = 200_000_000;
const kills = 4;
/** What such a test may take. */
export const troubleMs = 300_000;

/** A large file on disk whose digest is known. */
export interface LargeFile {
  /** Its last segment is `large.bin`. */
  path: string;
  sha256: string;
  remove(): void;
}

/** @param bytes may be fewer where nobody sends it through trouble */
export function makeLargeFile(bytes = troubledBytes): LargeFile {
  let folder = mkdtempSync(join(tmpdir(), "s3-uploads-large-"));
  let path = join(folder, "large.bin");
  let hash = new Bun.CryptoHasher("sha256");
  let descriptor = openSync(path, "w");
  for (let written = 0; written < bytes;) {
    let block = bytesOf(Math.min(32 * MIB, bytes - written));
    // No two blocks alike: a block in the wrong place would not show else.
    new DataView(block.buffer).setUint32(0, written);
    hash.update(block);
    written += writeSync(descriptor, block);
  }
  closeSync(descriptor);
  return { path, sha256: hash.digest("hex"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Has a client send a large file through a proxy that cuts it off, while the server is killed and started anew; then compares
 * what is in the bucket.
 *
 * @param work gets the address of the page by way of the proxy
 */
export async function throughTrouble(
  { sha256 }: LargeFile,
  work: (base: string, world: World) => Promise<void>,
): Promise<void> {
  let world = await createWorld("s3");
  let proxy = await startCuttingProxy(
    () => Number(new URL(world.server.base).port),
    () => MIB + Math.floor(Math.random() * 29 * MIB),
  );
  let ended = false;
  async function trouble(): Promise<void> {
    for (let kill = 1; kill <= kills; kill++) {
      await eventually(
        () => ended || world.fake!.bytesHeld >= (kill / (kills + 1)) * troubledBytes,
        (reached) => reached,
        troubleMs,
      );
      if (ended) return;
      await world.server.kill();
      await world.restart();
    }
  }
  let { pathname } = new URL(world.server.base);
  let troubled = trouble();
  try {
    await work(`http://127.0.0.1:${proxy.port}${pathname}`, world);
    ended = true;
    await troubled;
    await world.settled(1);
    let [object] = world.fake!.objects.values();
    let stored = new Bun.CryptoHasher("sha256").update(object!.bytes).digest("hex");
    expect([object!.bytes.byteLength, stored]).toEqual([troubledBytes, sha256]);
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
