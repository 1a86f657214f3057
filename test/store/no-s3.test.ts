import { afterAll, expect, test } from "bun:test";

import { createByteBudget } from "../../src/byte-budget.ts";
import { silentLog } from "../../src/log.ts";
import { createSpool } from "../../src/spool.ts";
import { createS3Storage } from "../../src/store/s3/s3-storage.ts";
import { MIB } from "../../src/units.ts";

const html = "<!doctype html><html><head><meta charset=utf-8></head><body>Sign in<br></body></html>";
let answer = { body: html, status: 200 };
/** A web page where an S3 server should be: a console, a portal, a proxy. */
let stranger = Bun.serve({
  port: 0,
  fetch: () => new Response(answer.body, { status: answer.status, headers: { "Content-Type": "text/html" } }),
});
afterAll(() => stranger.stop(true));

let endpointUrl = `http://127.0.0.1:${stranger.port}`;
let storage = createS3Storage({
  bucket: "files",
  prefix: "",
  region: "us-east-1",
  endpointUrl,
  forcePathStyle: true,
  credentials: { accessKeyId: "key", secretAccessKey: "secret" },
  budget: createByteBudget(MIB),
  spool: createSpool("/nowhere"),
  log: silentLog,
});

test.each([
  ["a page", html, 200],
  ["a page that is well-formed XML", "<html><body>Sign in</body></html>", 200],
  ["JSON", '{"status":"ok"}', 200],
  ["nothing", "", 200],
  ["a page for what is not there", html, 404],
])("%s is told as no answer of S3, and never counts as a bucket without objects", async (_, body, status) => {
  answer = { body, status };
  let refused = {
    code: "storage_error",
    message: `${endpointUrl} does not answer as an S3 server does: check s3_endpoint_url.`,
  };
  await expect(storage.probe()).rejects.toMatchObject(refused);
  await expect(Array.fromAsync(storage.list(""))).rejects.toMatchObject(refused);
});

test("a proxy's page for a server that is down means that it may come back", async () => {
  answer = { body: html, status: 502 };
  await expect(storage.probe()).rejects.toMatchObject({
    code: "storage_unavailable",
    message: expect.stringContaining("answered 502"),
  });
});
