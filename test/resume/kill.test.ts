import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MIB } from "../../src/units.ts";
import { createWorld, type World } from "../serve/world.ts";
import { bytesOf, sha256Of } from "../store/bodies.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { eventually } from "../support/server.ts";
import { tusOf } from "./world.ts";

const fileBytes = 30 * MIB + 4321;
const slowMs = 120_000;
const version = { "Tus-Resumable": "1.0.0" };

let trace = join(tmpdir(), `s3-uploads-tus-trace-${process.pid}`);
afterAll(() => rmSync(trace, { force: true }));

/** mulberry32: numbers from 0 to 1, the same ones for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function urlOf(world: World, path: string): string {
  return new URL(path, world.server.base).href;
}

/** The offset that the server tells; it never tells less than it has acknowledged. */
async function offsetNow(world: World, path: string, acknowledged: number): Promise<number> {
  let head = await fetch(urlOf(world, path), { method: "HEAD", headers: version });
  expect(head.status).toBe(200);
  let offset = Number(head.headers.get("Upload-Offset"));
  expect(offset).toBeGreaterThanOrEqual(acknowledged);
  return offset;
}

/** Sends pieces of random sizes until all is there or the server dies; resolves to what was acknowledged last. */
async function sendUntilDead(
  world: World,
  path: string,
  from: number,
  random: () => number,
): Promise<number> {
  let bytes = bytesOf(fileBytes);
  let at = from;
  try {
    while (at < fileBytes) {
      let largest = random() < 0.3 ? 20 : 20 * MIB;
      let end = Math.min(fileBytes, at + 1 + Math.floor(random() * largest));
      let response = await tusOf((url, init) => fetch(urlOf(world, url), init)).patch(
        path,
        at,
        bytes.subarray(at, end),
      );
      if (response.status !== 204) break;
      at = Number(response.headers.get("Upload-Offset"));
    }
  } catch {
    // The server is dead.
  }
  return at;
}

async function finish(world: World, path: string, acknowledged: number): Promise<void> {
  let at = await offsetNow(world, path, acknowledged);
  await sendUntilDead(world, path, at, () => 0.99);
  let head = await eventually(
    () => fetch(urlOf(world, path), { method: "HEAD", headers: version }),
    ({ headers }) => headers.has("S3-Uploads-File-Id"),
  );
  let id = head.headers.get("S3-Uploads-File-Id");
  let { file } = (await (await fetch(`${world.server.base}/files/${id}.json`)).json()) as {
    file: { checksum_sha256: string };
  };
  let wanted = sha256Of(bytesOf(fileBytes));
  expect(file.checksum_sha256).toBe(wanted);
  expect(sha256Of(await (await fetch(`${world.server.base}/files/${id}/download`)).bytes())).toBe(wanted);
  await world.settled(1);
}

for (let on of ["local", "s3"] as const) {
  describe(`kill -9 on ${on}`, () => {
    for (let seed of [1, 2]) {
      test(
        `at any moment loses no byte that was acknowledged (seed ${seed})`,
        async () => {
          let random = seeded(seed);
          let world = await createWorld(on);
          try {
            let path = await tusOf((url, init) => fetch(urlOf(world, url), init)).begin(fileBytes);
            let at = 0;
            for (let kills = 0; kills < 6; kills++) {
              at = await offsetNow(world, path, at);
              let killed = Bun.sleep(random() * 120).then(() => world.server.kill());
              at = await sendUntilDead(world, path, at, random);
              await killed;
              await world.restart();
            }
            await finish(world, path, at);
          } finally {
            await world.close();
          }
        },
        slowMs,
      );
    }
  });
}

let noStrace = skipUnlessCi(
  Bun.which("strace")
    ? null
    : "strace is not installed: kills at a chosen system call are not tested (apt-get install strace)",
);

/** Calls in the order in which they have to end. */
const promises: [what: string, call: RegExp][] = [
  ["the bytes are on disk", /f(?:data)?sync\(\d+<\S+objects\/\.unfinished\/\S+>/],
  ["the offset is on disk", /fdatasync\(\d+<\S+state\.db-wal>/],
  ["the sender is told", /HTTP\/1\.1 204 No Content/],
];

test.skipIf(noStrace)("a piece is acknowledged when it is on disk, and its offset after it", async () => {
  let world = await createWorld("local");
  try {
    await world.server.kill();
    let traced = ["strace", "-D", "-f", "-y", "-e", "trace=fsync,fdatasync,sendto", "-o", trace];
    await world.restart({}, traced);
    let tus = tusOf((url, init) => fetch(urlOf(world, url), init));
    let path = await tus.begin(fileBytes);
    expect((await tus.patch(path, 0, bytesOf(MIB))).status).toBe(204);
    let told = () => readFileSync(trace, "utf8").split("204 No Content").length - 1;
    await eventually(told, (answers) => answers === 1);
    let mark = readFileSync(trace, "utf8").length;
    expect((await tus.patch(path, MIB, bytesOf(MIB))).status).toBe(204);
    await eventually(told, (answers) => answers === 2);
    let log = readFileSync(trace, "utf8").slice(mark);
    let places = promises.map(([what, call]) => ({ what, at: log.search(call) }));
    expect(places.filter(({ at }) => at < 0)).toEqual([]);
    expect(places.toSorted((a, b) => a.at - b.at)).toEqual(places);
  } finally {
    await world.close();
  }
});

describe.skipIf(noStrace)("kill -9 at the n-th sync to disk", () => {
  for (let when of [3, 5, 7, 9]) {
    test(
      `loses no byte that was acknowledged (n = ${when})`,
      async () => {
        let world = await createWorld("s3");
        try {
          await world.server.kill();
          let inject = `inject=fdatasync:signal=SIGKILL:when=${when}`;
          let traced = ["strace", "-D", "-f", "-e", "trace=fdatasync", "-e", inject, "-o", trace];
          await world.restart({}, traced);
          let tus = tusOf((url, init) => fetch(urlOf(world, url), init));
          let path = await tus.begin(fileBytes).catch(() => null);
          let at = path === null ? 0 : await sendUntilDead(world, path, 0, seeded(when));
          await world.server.kill();
          await world.restart();
          path ??= await tus.begin(fileBytes);
          await finish(world, path, at);
        } finally {
          await world.close();
        }
      },
      slowMs,
    );
  }
});
