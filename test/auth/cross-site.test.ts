import { describe, expect, test } from "bun:test";

import { isCrossSite } from "../../src/auth/cross-site.ts";

function ask(headers: Record<string, string>, { method = "POST", host = "127.0.0.1:8080" } = {}): boolean {
  let publicUrl = "https://files.example.org/x";
  return isCrossSite({ method, headers: new Headers(headers), host, publicUrl });
}

describe("Sec-Fetch-Site decides", () => {
  test.each([
    ["same-origin", false],
    ["none", false],
    ["same-site", true],
    ["cross-site", true],
    ["something-new", true],
    ["", true],
  ])("%j: cross-site is %p", (site, expected) => {
    expect(ask({ "Sec-Fetch-Site": site })).toBe(expected);
  });

  test("even against Origin", () => {
    expect(ask({ "Sec-Fetch-Site": "cross-site", Origin: "http://127.0.0.1:8080" })).toBe(true);
    expect(ask({ "Sec-Fetch-Site": "same-origin", Origin: "https://seen.through.a.proxy" })).toBe(false);
  });
});

describe("without it, Origin decides", () => {
  test.each([
    ["http://127.0.0.1:8080", "127.0.0.1:8080", false],
    ["https://127.0.0.1:8080", "127.0.0.1:8080", false],
    ["http://[::1]:8080", "[::1]:8080", false],
    ["http://example.com", "example.com", false],
    ["http://example.com", "example.com:80", false],
    ["https://example.com", "example.com:443", false],
    ["https://files.example.org", "10.0.0.1:8080", false],
    ["http://files.example.org", "10.0.0.1:8080", true],
    ["https://files.example.org:444", "10.0.0.1:8080", true],
    ["http://127.0.0.1:3000", "127.0.0.1:8080", true],
    ["http://127.0.0.1", "127.0.0.1:8080", true],
    ["http://localhost:8080", "127.0.0.1:8080", true],
    ["http://evil.example", "127.0.0.1:8080", true],
    ["http://127.0.0.1:8080.evil.example", "127.0.0.1:8080", true],
    ["http://127.0.0.1:8080@evil.example", "127.0.0.1:8080", true],
    ["chrome-extension://abcdef", "127.0.0.1:8080", true],
    ["file://", "127.0.0.1:8080", true],
    ["null", "127.0.0.1:8080", true],
    ["", "127.0.0.1:8080", true],
  ])("%j to %s: cross-site is %p", (origin, host, expected) => {
    expect(ask({ Origin: origin }, { host })).toBe(expected);
  });
});

test("a program, which sends neither, passes", () => {
  expect(ask({})).toBe(false);
});

test.each([
  ["GET", false],
  ["HEAD", false],
  ["OPTIONS", false],
  ["POST", true],
  ["PUT", true],
  ["PATCH", true],
  ["DELETE", true],
  ["PROPFIND", true],
])("%s from another site: stopped is %p", (method, expected) => {
  expect(ask({ "Sec-Fetch-Site": "cross-site" }, { method })).toBe(expected);
});
