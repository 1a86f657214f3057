import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";

import { base, createWorld } from "./world.ts";

/** The same app on a real server, asked by the programs that people use. */
let world: ReturnType<typeof createWorld>;
let server: Bun.Server<undefined>;

beforeAll(() => {
  world = createWorld({ anonymous: ["view"] });
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, self) => world.app.fetch(request, self),
  });
});
afterAll(async () => {
  await server.stop(true);
  world[Symbol.dispose]();
});

const curl = Bun.which("curl");
if (curl === null) console.log("curl is missing: the tests of real curl are skipped");

async function run(...args: string[]): Promise<string> {
  let child = Bun.spawn([
    curl ?? "curl",
    "-sS",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code} %{redirect_url}",
    ...args,
  ]);
  return (await child.stdout.text()).trim();
}

describe.skipIf(curl === null && process.env["CI"] !== "true")("curl", () => {
  test("uploads with a bearer token and with -u", async () => {
    let { token } = world.tokens.create({ name: "curl", scopes: ["upload"] });
    let url = `${server.url.origin}/upload`;
    expect(await run("-X", "POST", url)).toBe("401");
    expect(await run("-X", "POST", "-H", `Authorization: Bearer ${token}`, url)).toBe("200");
    expect(await run("-X", "POST", "-u", `me:${token}`, url)).toBe("200");
    expect(await run("-X", "POST", "-u", "me:wrong", url)).toBe("401");
    expect(await run("-X", "DELETE", "-u", `me:${token}`, `${server.url.origin}/files/1`)).toBe("403");
  });

  test("is refused under another name, and in another site's name", async () => {
    expect(await run("-H", "Host: evil.example", `${server.url.origin}/files`)).toBe("403");
    expect(
      await run(`http://localhost:${server.port}/files`, "--resolve", `localhost:${server.port}:127.0.0.1`),
    ).toBe("200");
    expect(await run("-X", "POST", "-H", "Origin: http://evil.example", `${server.url.origin}/upload`)).toBe(
      "403",
    );
  });

  test("follows the sign-in link", async () => {
    let { token } = world.tokens.create({ name: "link", scopes: ["view"] });
    let answer = await run(`${server.url.origin}${base}/sign-in?token=${token}`);
    expect(answer).toBe(`303 ${server.url.origin}${base}`);
  });
});

test("the server knows the sender's address", async () => {
  let client = await (await fetch(`${server.url.origin}/from`)).json();
  expect(client).toMatchObject({ address: "127.0.0.1", secure: false });
});

test.each([
  ["no Host (HTTP/1.0)", "GET /files HTTP/1.0\r\n\r\n"],
  ["an empty Host", "GET /files HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"],
  ["two hosts", "GET /files HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"],
  ["a host with a path", "GET /files HTTP/1.1\r\nHost: evil.example/127.0.0.1\r\nConnection: close\r\n\r\n"],
  [
    "an absolute target",
    "GET http://127.0.0.1/files HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
  ],
])("a request with %s is refused", async (_, request) => {
  expect(await raw(request)).toMatch(/^HTTP\/1\.[01] 40[03] /);
});

/** Sends a request as it is written; resolves with the beginning of the answer. */
async function raw(request: string): Promise<string> {
  let { promise, resolve, reject } = Promise.withResolvers<string>();
  let socket = connect(server.port ?? 0, "127.0.0.1", () => socket.write(request));
  socket.once("data", (chunk) => resolve(chunk.toString("latin1")));
  socket.once("error", reject);
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
