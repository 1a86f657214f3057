import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";

import { expectError } from "../support/expect-error.ts";
import type { ProxyFault } from "../support/fault-proxy.ts";
import { eventually } from "../support/server.ts";
import { large, longestTestMs, small, stored } from "./steps.ts";
import { createFaultWorld, type FaultWorld, timeoutSeconds } from "./world.ts";

/** Two tries of every call that a request makes, and what may be waited for the undoing. */
const longestAnswerMs = (4 * timeoutSeconds + 12) * 1000;
/** Two tries of the first look, and what is waited for recovery; then the program itself starts. */
const longestStartMs = (2 * timeoutSeconds + 5 + 15) * 1000;

let world: FaultWorld;

beforeAll(async () => {
  world = await createFaultWorld();
}, longestTestMs);
afterEach(() => world.proxy.script.heal());
afterAll(() => world.close(), longestTestMs);

async function expectUnavailable(request: Promise<Response>): Promise<void> {
  let began = performance.now();
  let answer = await request;
  await expectError(answer, 503, "storage_unavailable");
  expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
  expect(performance.now() - began).toBeLessThan(longestAnswerMs);
}

let everything: [string, ProxyFault][] = [
  ["is silent", { kind: "stall" }],
  ["answers 500 to everything", { kind: "status", status: 500, code: "InternalError" }],
  ["breaks every connection", { kind: "resetBefore" }],
];
for (let [name, fault] of everything) {
  test(
    `a bucket that ${name} is told to everybody who needs it, and nothing is lost or left`,
    async () => {
      let { rows } = await world.census();
      let [kept, deleted] = [await stored(world, small), await stored(world, small)];
      let { base } = world.server;
      world.proxy.script.failRandomly(1, 1, [fault]);
      await Promise.all([
        expectUnavailable(world.put("a.bin", small)),
        expectUnavailable(world.put("a.bin", large)),
        expectUnavailable(world.delete(deleted)),
        expectUnavailable(fetch(`${base}/files/${kept}/download`)),
      ]);
      // What needs no bucket goes on.
      expect((await fetch(`${base}/files.json`)).status).toBe(200);
      world.proxy.script.heal();
      await world.restart();
      await world.settled(rows + 1);
    },
    longestTestMs,
  );
}

test(
  "a bucket that is silent to recovery does not keep the server from starting",
  async () => {
    let { rows } = await world.census();
    world.proxy.script.fail("CompleteMultipartUpload", { kind: "stallAfter" }, { times: Infinity });
    world.proxy.script.fail("AbortMultipartUpload", { kind: "stall" }, { times: Infinity });
    world.proxy.script.fail("DeleteObject", { kind: "stall" }, { times: Infinity });
    let uploads = Array.from({ length: 4 }, () => world.put("a.bin", large).catch(() => null));
    await eventually(
      () => world.proxy.calls.filter((call) => call.fault === "stallAfter").length,
      (stalled) => stalled >= 4,
      60_000,
    );
    let began = performance.now();
    await world.restart();
    expect(performance.now() - began).toBeLessThan(longestStartMs);
    await Promise.all(uploads);
    await stored(world, small);
    world.proxy.script.heal();
    await world.restart();
    await world.settled(rows + 1);
  },
  longestTestMs,
);

test("a download that the bucket cuts is cut for its reader, and never a shorter file", async () => {
  let id = await stored(world, large);
  let read = () => fetch(`${world.server.base}/files/${id}/download`).then((answer) => answer.bytes());
  world.proxy.script.fail("GetObject", { kind: "resetBefore" });
  expect((await read()).byteLength).toBe(large.byteLength);
  // A call that took too long on a busy machine is made again.
  world.proxy.script.fail("GetObject", { kind: "cutAnswer" }, { times: Infinity });
  await expect(read()).rejects.toThrow();
}, 60_000);
