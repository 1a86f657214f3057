import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { request } from "node:http";

import { MIB } from "../../src/units.ts";
import { bytesOf } from "../store/bodies.ts";
import { eventually } from "../support/server.ts";
import { createWorld, type World } from "./world.ts";

// Uploads get 25 seconds to finish in.
setDefaultTimeout(60_000);

/** More than one part of a multipart upload, and half of it that is less than what is sent first. */
const fileBytes = 12 * MIB;
const file = bytesOf(fileBytes);
const sentBytes = 9 * MIB;
const head = Buffer.from('--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n');
const form = Buffer.concat([head, file, Buffer.from("\r\n--B--\r\n")]);
const formType = { "Content-Type": "multipart/form-data; boundary=B" };

const ways: [
  what: string,
  method: string,
  path: string,
  body: Uint8Array,
  headers: Record<string, string>,
][] = [
  ["PUT", "PUT", "/a.bin", file, { "Content-Length": String(fileBytes) }],
  ["PUT, chunked", "PUT", "/b.bin", file, { "Transfer-Encoding": "chunked" }],
  ["form", "POST", "", form, { "Content-Length": String(form.length), ...formType }],
  ["form, chunked", "POST", "", form, { "Transfer-Encoding": "chunked", ...formType }],
];

let worlds: World[] = [];
afterEach(async () => {
  for (let world of worlds.splice(0)) await world.close();
});

/** Sends most of a file and then waits to be told to send the rest. */
function begin(base: string, [what, method, path, body, headers]: (typeof ways)[number]) {
  let answer = Promise.withResolvers<number>();
  let sending = request(`${base}/upload${path}`, { method, headers, agent: false }, (response) => {
    response.resume();
    answer.resolve(response.statusCode ?? 0);
  });
  sending.on("error", () => answer.resolve(0));
  sending.write(body.subarray(0, sentBytes));
  return {
    what,
    answer: answer.promise,
    finish: () => void sending.end(body.subarray(sentBytes)),
  };
}

async function stopInMidUpload(on: "local" | "s3"): Promise<void> {
  let world = await createWorld(on, { S3_UPLOADS_MAX_FILE_SIZE_MB: "20" });
  worlds.push(world);
  let { base } = world.server;
  let quick = ways.map((way) => begin(base, way));
  let endless = ways.map((way) => begin(base, way));
  await eventually(world.census, ({ intents, unfinished }) => intents === 8 && unfinished === 8, 20_000);
  let beganMs = performance.now();
  let stopped = world.server.stop();
  await eventually(() => world.server.stderr().includes("ending"), Boolean);
  await expect(fetch(`${base}/healthz`)).rejects.toThrow();
  for (let { finish } of quick) finish();
  let outcome = async ({ what, answer }: (typeof quick)[number]) => [what, await answer];
  expect(await Promise.all(quick.map(outcome))).toEqual(ways.map(([what]) => [what, 201]));
  expect(await Promise.all(endless.map(outcome))).toEqual(ways.map(([what]) => [what, 503]));
  expect(await stopped).toBe(0);
  expect(performance.now() - beganMs).toBeLessThan(35_000);
  // What a bucket may yet make of requests that were given up is looked for by the next start.
  if (on === "s3") await world.restart();
  await world.settled(ways.length);
}

test("a server that is asked to end lets uploads finish for a while, ends the others, and leaves nothing of them", async () => {
  await Promise.all([stopInMidUpload("local"), stopInMidUpload("s3")]);
});
