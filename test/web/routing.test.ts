import { afterAll, expect, test } from "bun:test";

import { AppError } from "../../src/errors.ts";
import { createTestApp, testBase } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

let { app, ask, close } = createTestApp();
afterAll(close);
let host = { Host: "127.0.0.1:8080" };

test.each([
  ["POST", "/files", "GET, HEAD"],
  ["DELETE", "/files.json", "GET, HEAD"],
  ["POST", "/files.csv", "GET, HEAD"],
  ["GET", "/upload", "POST"],
  ["PUT", "/upload", "POST"],
  ["POST", "/upload/a.txt", "PUT"],
  ["GET", "/upload/a.txt", "PUT"],
  ["PUT", "/files/7", "GET, HEAD, DELETE"],
  ["POST", "/files/7.json", "GET, HEAD"],
  ["POST", "/files/7/download", "GET, HEAD"],
  ["GET", "/files/7/delete", "POST"],
  ["GET", "/files/delete", "POST"],
  ["OPTIONS", "/files", "GET, HEAD"],
  ["POST", "/healthz", "GET, HEAD"],
  ["POST", "", "GET, HEAD"],
])("%s %s: 405 that allows %s", async (method, path, allow) => {
  let response = await ask(path, { method });
  await expectError(response, 405, "method_not_allowed");
  expect(response.headers.get("Allow")).toBe(allow);
});

test.each([
  "/nothing",
  "/files/0",
  "/files/7",
  "/files/7.json",
  "/files/7/download",
  "/files/007",
  "/files/99999999999999999999",
  "/files/abc",
  "/files/0189-not-a-uid",
  "/files/01a20a2c-2c68-7134-934e-c3ae69a1757d",
  "/files/7/nothing",
  "/files/..%2f..%2fetc",
  "/static/nothing.css",
  "/static/..%2f..%2fpackage.json",
])("GET %s: 404", async (path) => {
  await expectError(await ask(path), 404, "not_found");
});

test.each([
  "",
  "/files",
  "/files?view=grid",
  "/files.json",
  "/metrics",
  "/openapi.json",
  "/sign-in",
  "/nothing",
])("HEAD %s tells the length that GET has", async (path) => {
  let head = await ask(path, { method: "HEAD" });
  let get = await ask(path);
  expect(head.status).toBe(get.status);
  let bytes = (await get.bytes()).byteLength;
  // Metrics count what is asked in between.
  if (path === "/metrics") expect(Number(head.headers.get("Content-Length"))).toBeGreaterThan(100);
  else expect(head.headers.get("Content-Length")).toBe(String(bytes));
  expect(await head.text()).toBe("");
});

test("HEAD of a table whose length nobody knows tells none", async () => {
  let head = await ask("/files.csv", { method: "HEAD" });
  expect(head.headers.get("Transfer-Encoding")).toBe("chunked");
  expect(head.headers.get("Content-Length")).toBeNull();
});

test("outside the base path there is only the way into it", async () => {
  let response = await app.request("/", { headers: host });
  expect(response.status).toBe(302);
  expect(response.headers.get("Location")).toBe(testBase);
  await expectError(await app.request("/files", { headers: host }), 404, "not_found");
});

test("at the root the start page is there at once", async () => {
  let root = createTestApp({ options: { basePath: "" } });
  let response = await root.app.request("/", { headers: host });
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('action="/upload"');
  root.close();
});

test("a slash at the end makes no difference", async () => {
  expect((await ask("/")).status).toBe(200);
  expect((await ask("/files/")).status).toBe(200);
});

test("healthz and readyz answer any host", async () => {
  for (let path of ["/healthz", "/readyz"]) {
    let response = await ask(path, { headers: { Host: "lb.internal" } });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ success: true });
  }
});

test("readyz tells that the server is not ready, and nothing about why", async () => {
  let error = new AppError("storage_unavailable", "secret-bucket.example refused 10.0.0.7");
  let degraded = createTestApp({ readiness: async () => error });
  let response = await degraded.ask("/readyz");
  let body = await expectError(response, 503, "storage_unavailable");
  expect(JSON.stringify(body)).not.toContain("secret-bucket");
  expect(response.headers.get("Retry-After")).toBe("10");
  degraded.close();
});

async function idFor(id: string): Promise<string | null> {
  return (await ask("/healthz", { headers: { "X-Request-Id": id } })).headers.get("X-Request-Id");
}

test("a request keeps a sane id of its own and gets one instead of any other", async () => {
  expect(await idFor("proxy-1.a_B")).toBe("proxy-1.a_B");
  for (let bad of ["", "a b", "<script>", "x".repeat(65), "é"]) {
    expect(await idFor(bad)).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test("static files have a hash in their name, may be kept for ever, and are asked again by tag", async () => {
  let page = await (await ask("/")).text();
  let addresses = [...page.matchAll(/(?:href|src)="([^"]*\/static\/[^"]*)"/g)].map((match) => match[1] ?? "");
  expect(addresses.length).toBeGreaterThan(3);
  let types: (string | null)[] = [];
  for (let address of new Set(addresses)) {
    expect(address).toMatch(/-[0-9a-f]{12}(\.(css|js|svg)|\/[a-z-]+\.js)$/);
    let response = await app.request(address, { headers: host });
    expect(response.status).toBe(200);
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
    expect(response.headers.get("Content-Disposition")).toBeNull();
    expect((await response.bytes()).byteLength).toBe(Number(response.headers.get("Content-Length")));
    types.push(response.headers.get("Content-Type"));
    let etag = response.headers.get("ETag") ?? "";
    let again = await app.request(address, { headers: { ...host, "If-None-Match": etag } });
    expect(again.status).toBe(304);
  }
  expect([...new Set(types)].toSorted()).toEqual([
    "image/svg+xml",
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
  ]);
});

test("every answer carries the security headers, failures too", async () => {
  for (let path of [
    "/",
    "/files",
    "/files.json",
    "/files.csv",
    "/files/7",
    "/nothing",
    "/healthz",
    "/sign-in",
  ]) {
    let { headers } = await ask(path, { headers: { Accept: "text/html" } });
    let policy = headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("X-Frame-Options")).toBe("DENY");
    expect(headers.get("Referrer-Policy")).toMatch(/^(same-origin|no-referrer)$/);
    expect(headers.get("Cache-Control")).toBe("no-store");
  }
});

test("pictures may come from where downloads are redirected to", async () => {
  let redirecting = createTestApp({ options: { storageOrigins: ["https://bucket.example"] } });
  let policy = (await redirecting.ask("/")).headers.get("Content-Security-Policy");
  expect(policy).toContain("img-src 'self' https://bucket.example;");
  redirecting.close();
});
