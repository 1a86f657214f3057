import { afterAll, describe, expect, test } from "bun:test";

import { runHealth } from "../../src/commands/health.ts";

let asked: string[] = [];
let server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  development: false,
  fetch(request) {
    let { pathname } = new URL(request.url);
    asked.push(pathname);
    if (pathname.startsWith("/silent")) return new Promise<Response>(() => {});
    if (pathname.startsWith("/moved")) return Response.redirect("/healthz");
    return new Response("", { status: pathname === "/a/b/healthz" || pathname === "/healthz" ? 200 : 404 });
  },
});
afterAll(() => server.stop(true));

async function health(given: { host?: string; port?: number; base_path?: string }) {
  let output = "";
  let config = { host: "127.0.0.1", port: server.port ?? 0, base_path: "", ...given };
  let exitCode = await runHealth({ config, write: (text) => (output += text), timeoutMs: 200 });
  return { exitCode, output };
}

describe("health", () => {
  for (let host of ["127.0.0.1", "localhost", "0.0.0.0", "::ffff:127.0.0.1"]) {
    test(`finds the server that listens on ${host}`, async () => {
      let { exitCode, output } = await health({ host });
      let address = host === "localhost" ? host : "127.0.0.1";
      expect(output).toBe(`ok    http://${address}:${server.port}/healthz\n`);
      expect(exitCode).toBe(0);
    });
  }

  test("asks below the base path", async () => {
    expect((await health({ base_path: "/a/b" })).exitCode).toBe(0);
    expect(asked.at(-1)).toBe("/a/b/healthz");
  });

  for (let [host, address] of [
    ["::", "[::1]"],
    ["::1", "[::1]"],
    ["2001:db8::1", "[2001:db8::1]"],
  ] as const) {
    test(`asks ${address} where the server listens on ${host}`, async () => {
      expect((await health({ host, port: 1 })).output).toStartWith(`FAIL  http://${address}:1/healthz `);
    });
  }

  test("fails on another answer than 200, and follows nowhere", async () => {
    let url = server.url.origin;
    expect(await health({ base_path: "/other" })).toEqual({
      exitCode: 1,
      output: `FAIL  ${url}/other/healthz answered 404\n`,
    });
    expect((await health({ base_path: "/moved" })).output).toBe(`FAIL  ${url}/moved/healthz answered 302\n`);
  });

  test("fails in one line where nothing listens", async () => {
    let { exitCode, output } = await health({ port: 1 });
    expect(exitCode).toBe(1);
    expect(output).toMatch(/^FAIL  http:\/\/127\.0\.0\.1:1\/healthz did not answer: .+\n$/);
  });

  test("fails when no answer comes in time", async () => {
    let { exitCode, output } = await health({ base_path: "/silent" });
    expect(exitCode).toBe(1);
    expect(output).toEndWith("did not answer: nothing came within 0.2 seconds\n");
  });

  test("does not go through a proxy", async () => {
    let code = `import { runHealth } from ${JSON.stringify(Bun.fileURLToPath(new URL("../../src/commands/health.ts", import.meta.url)))};
      let config = { host: "127.0.0.1", port: ${server.port}, base_path: "" };
      process.exit(await runHealth({ config, write() {} }));`;
    let proxy = "http://127.0.0.1:1";
    let child = Bun.spawn([process.execPath, "-e", code], {
      env: { ...process.env, HTTP_PROXY: proxy, http_proxy: proxy },
    });
    expect(await child.exited).toBe(0);
  });
});
