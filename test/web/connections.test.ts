import { afterAll, beforeAll, expect, test } from "bun:test";

import { idleTimeoutSeconds } from "../../src/web/env.ts";
import { createTestApp, testBase } from "../support/app.ts";

let cutAfter = Infinity;
let { app, addFile, storage, close } = createTestApp({
  options: { stallTimeoutMs: 150, maxFileBytes: 1000 },
  storageFor: () => ({
    ...storage,
    async open(...place) {
      let { body, sizeBytes } = await storage.open(...place);
      return { body: firstBytes(body, cutAfter), sizeBytes };
    },
  }),
});

/** A body that ends in the middle without saying so. */
function firstBytes(body: ReadableStream<Uint8Array>, most: number): ReadableStream<Uint8Array> {
  let left = most;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left));
        left -= Math.min(left, chunk.byteLength);
      },
    }),
  );
}
let server: Bun.Server<undefined>;
beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    idleTimeout: idleTimeoutSeconds,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request, own) => app.fetch(request, own),
  });
});
afterAll(async () => {
  await server.stop(true);
  close();
});

/** Sends the text and then stands still; resolves when the server closes, or with what came until `enough` did. */
async function standStill(text: string, enough?: RegExp): Promise<{ answer: string; closed: boolean }> {
  let { promise, resolve } = Promise.withResolvers<{ answer: string; closed: boolean }>();
  let answer = "";
  let socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    socket: {
      data(_socket, bytes) {
        answer += bytes.toString();
        if (enough?.test(answer)) resolve({ answer, closed: false });
      },
      close: () => resolve({ answer, closed: true }),
    },
  });
  socket.write(text);
  let result = await promise;
  socket.end();
  return result;
}

const put = (length: number) =>
  `PUT ${testBase}/upload/a.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${length}\r\n\r\nabc`;

test("a sender that stands still is told 408 and cut", async () => {
  let { answer, closed } = await standStill(put(100));
  expect(answer).toStartWith("HTTP/1.1 408 ");
  expect(answer).toContain('"code":"upload_stalled"');
  expect(answer).toMatch(/^connection: close\r$/im);
  expect(closed).toBe(true);
});

test("a body declared too large is refused while the connection stays, so that every sender sees it", async () => {
  let { answer, closed } = await standStill(put(1001), /"request_id":"[^"]+"\}\n/);
  expect(answer).toStartWith("HTTP/1.1 413 ");
  expect(answer).not.toMatch(/^connection: close/im);
  expect(closed).toBe(false);
});

test("HEAD of a download has its length on the wire", async () => {
  let { id } = await addFile("0123456789");
  let response = await fetch(`${server.url.origin}${testBase}/files/${id}/download`, { method: "HEAD" });
  expect(response.headers.get("Content-Length")).toBe("10");
  expect(await response.text()).toBe("");
});

test("a download that storage ends too early is no whole answer", async () => {
  let { id } = await addFile("x".repeat(5_000_000));
  cutAfter = 1_000_000;
  let response = await fetch(`${server.url.origin}${testBase}/files/${id}/download`);
  expect(response.status).toBe(200);
  await expect(response.bytes()).rejects.toThrow();
});
