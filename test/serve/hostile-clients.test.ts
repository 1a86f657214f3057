import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { MIB } from "../../src/units.ts";
import { bytesOf } from "../store/bodies.ts";
import { eventually } from "../support/server.ts";
import { createWorld, type World } from "./world.ts";

setDefaultTimeout(60_000);

/** Bun cuts what idles, or drips, this long after it began; idleTimeout is 10 s, its clock ticks every 4. */
const cutWithinMs = 20_000;

let world: World;
let base: URL;
beforeAll(async () => {
  world = await createWorld("local", { S3_UPLOADS_MAX_TRANSFERS_PER_CLIENT: "2" });
  base = new URL(world.server.base);
});
afterAll(() => world.close());

/** A client on a bare socket, which sends the pieces one by one and reads nothing unless it `listens`. */
async function connect(pieces: string[], { gapMs = 0, listens = true } = {}) {
  let { promise: closed, resolve } = Promise.withResolvers<void>();
  let text = "";
  let socket = await Bun.connect({
    hostname: base.hostname,
    port: Number(base.port),
    socket: {
      data(_socket, bytes) {
        text += bytes.toString("latin1");
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  });
  if (!listens) socket.pause();
  void (async () => {
    for (let piece of pieces) {
      if (socket.readyState !== 1) return;
      socket.write(piece);
      if (gapMs > 0) await Bun.sleep(gapMs);
    }
  })();
  return {
    closed,
    text: () => text,
    status: async () =>
      (
        await eventually(
          () => text,
          (seen) => seen.includes("\r\n\r\n"),
        )
      ).split(" ")[1],
    end: () => socket.terminate(),
  };
}

function head(method: string, path: string, ...headers: string[]): string {
  return `${method} ${base.pathname}${path} HTTP/1.1\r\nHost: ${base.host}\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`;
}

describe("a request's head", () => {
  test.each([
    ["a long header", () => head("GET", "/healthz", `X: ${"a".repeat(20_000)}`)],
    [
      "many headers",
      () => head("GET", "/healthz", ...Array.from({ length: 300 }, (_, nth) => `X-${nth}: a`)),
    ],
    ["a long address", () => head("GET", `/files?_search=${"a".repeat(20_000)}`)],
    ["a long cookie", () => head("GET", "/files", `Cookie: s3u_session=${"a".repeat(20_000)}`)],
  ])("with %s is refused with 431", async (_what, request) => {
    let client = await connect([request()]);
    expect(await client.status()).toBe("431");
    await client.closed;
  });

  test("of 15 KB is read, and what is in it is bounded", async () => {
    let search = await connect([head("GET", `/files.json?_search=${"a".repeat(15_000)}`)]);
    expect(await search.status()).toBe("400");
    let path = await connect([head("GET", `/${"a/".repeat(7_500)}`)]);
    expect(await path.status()).toBe("404");
    for (let client of [search, path]) client.end();
  });
});

test("who is silent, or drips a head or a small form, is cut off", async () => {
  let form = ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 4000"];
  let drops = Array.from("a".repeat(60));
  let unfinished = head("GET", "/healthz", "X: ").slice(0, -4);
  let began = performance.now();
  let clients = await Promise.all([
    connect([]),
    connect(["GET /"]),
    connect([unfinished, ...drops], { gapMs: 1000 }),
    connect([head("POST", "/sign-in", ...form)]),
    connect([head("POST", "/sign-in", ...form), ...drops], { gapMs: 1000 }),
    connect([head("POST", "/files/delete", ...form), ...drops], { gapMs: 1000 }),
    connect([head("GET", "/files.json", "Content-Length: 4000"), ...drops], { gapMs: 1000 }),
  ]);
  // Meanwhile others are served.
  expect((await fetch(`${base.href}/healthz`)).status).toBe(200);
  await Promise.all(clients.map(({ closed }) => closed));
  expect(performance.now() - began).toBeLessThan(cutWithinMs);
});

test("whoever does not read what it asked for holds no more than its transfers, until it goes", async () => {
  let body = bytesOf(20 * MIB);
  let answer = await fetch(`${base.href}/upload/large.bin`, { method: "PUT", body });
  let { file_id } = (await answer.json()) as { file_id: number };
  let ask = () => connect([head("GET", `/files/${file_id}/download`)], { listens: false });
  let deaf = [await ask(), await ask()];
  let third = () => fetch(`${base.href}/files/${file_id}/download`);
  let refused = await eventually(third, ({ status }) => status === 429);
  expect(refused.headers.get("Retry-After")).toBe("5");
  expect((await fetch(`${base.href}/upload/a.bin`, { method: "PUT", body: "a" })).status).toBe(429);
  expect((await fetch(`${base.href}/files`)).status).toBe(200);
  for (let { end } of deaf) end();
  let served = await eventually(third, ({ status }) => status === 200);
  expect((await served.bytes()).byteLength).toBe(body.byteLength);
  // Again and again: nothing is left of a transfer that was broken off.
  for (let nth = 0; nth < 5; nth++) {
    let client = await ask();
    await Bun.sleep(20);
    client.end();
  }
  let last = await eventually(third, ({ status }) => status === 200);
  expect((await last.bytes()).byteLength).toBe(body.byteLength);
});

test("a form with more parts, or larger fields, than any page sends is refused", async () => {
  let boundary = "x";
  let part = (name: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  let send = async (body: string) => {
    let headers = { "Content-Type": `multipart/form-data; boundary=${boundary}` };
    let sent = await fetch(`${base.href}/upload`, { method: "POST", headers, body: `${body}--x--\r\n` });
    return sent.status;
  };
  expect(await send(part("a", "b").repeat(1001))).toBe(400);
  expect(await send(part("a", "b".repeat(2 * MIB)))).toBe(400);
  expect(await send(part("n".repeat(100_000), "b"))).toBe(400);
  expect(await send(`--x\r\n${"X: y\r\n".repeat(20_000)}\r\n`)).toBe(400);
});

test("a body that says it is compressed is refused, and nothing unpacks it", async () => {
  let bomb = Bun.gzipSync(new Uint8Array(50 * MIB));
  for (let [path, method] of [
    ["upload/a.txt", "PUT"],
    ["upload", "POST"],
  ] as const) {
    let headers = { "Content-Encoding": "gzip", "Content-Type": "multipart/form-data; boundary=x" };
    let answer = await fetch(`${base.href}/${path}`, { method, headers, body: bomb });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("Content-Encoding");
  }
});
