import { describe, expect, test } from "bun:test";

import { clientAddress, createTrustedProxies, readClient } from "../../src/auth/forwarding.ts";

describe("trusted proxies", () => {
  test.each([
    ["10.1.2.3", ["10.0.0.0/8"], true],
    ["11.1.2.3", ["10.0.0.0/8"], false],
    ["192.168.1.5", ["192.168.1.5"], true],
    ["192.168.1.6", ["192.168.1.5"], false],
    ["192.168.1.130", ["192.168.1.128/25"], true],
    ["192.168.1.127", ["192.168.1.128/25"], false],
    ["8.8.8.8", ["0.0.0.0/0"], true],
    ["fd00::7", ["fd00::/8"], true],
    ["fe00::7", ["fd00::/8"], false],
    ["2001:db8::1", ["10.0.0.0/8", "2001:db8::1"], true],
    ["10.1.2.3", ["::ffff:10.0.0.0/104"], true],
    ["11.1.2.3", ["::ffff:10.0.0.0/104"], false],
    ["10.1.2.3", [], false],
  ])("%s among %j: %p", (address, entries, expected) => {
    expect(createTrustedProxies(entries)(address)).toBe(expected);
  });

  test.each([
    "proxy.example.org",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "fd00::/129",
    "10.0.0/8",
    "",
  ])("%j is refused with its name", (entry) => {
    expect(() => createTrustedProxies([entry])).toThrow(`“${entry}” is no IP address`);
  });
});

describe("clientAddress", () => {
  let trusted = createTrustedProxies(["10.0.0.0/8", "fd00::/8"]);
  test.each<[string, string | null, string | null, string | null]>([
    ["a direct sender", "203.0.113.9", null, "203.0.113.9"],
    ["a direct sender who writes the header", "203.0.113.9", "127.0.0.1", "203.0.113.9"],
    ["a proxy's word", "10.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["a proxy seen as IPv4-mapped IPv6", "::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"],
    ["a proxy by IPv6", "fd00::1", "2001:DB8::5", "2001:db8::5"],
    ["two proxies", "10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"],
    ["what the sender wrote before", "10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"],
    ["only proxies", "10.0.0.1", "10.0.0.3", "10.0.0.3"],
    ["no header behind a proxy", "10.0.0.1", null, "10.0.0.1"],
    ["garbage behind a proxy", "10.0.0.1", "unknown", "10.0.0.1"],
    ["an address with a port", "10.0.0.1", "203.0.113.9:4711", "203.0.113.9"],
    ["an IPv6 address with a port", "10.0.0.1", "[2001:db8::5]:4711", "2001:db8::5"],
    ["no address", null, "203.0.113.9", null],
  ])("%s", (_, peer, header, expected) => {
    expect(clientAddress(peer, header, trusted)).toBe(expected);
  });
});

describe("readClient", () => {
  let trusted = createTrustedProxies(["10.0.0.1"]);
  let forwarded = {
    Host: "backend:8080",
    "X-Forwarded-Host": "evil.example, files.example.org",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "203.0.113.9",
  };

  test("believes a trusted proxy, and of a list the last word", () => {
    let request = new Request("http://backend:8080/", { headers: forwarded });
    expect(readClient(request, "10.0.0.1", trusted)).toEqual({
      address: "203.0.113.9",
      untrustedHost: "files.example.org",
      secure: true,
      byProxy: true,
    });
  });

  test.each([["10.0.0.2"], [null]])("ignores forwarded headers of %p", (peer) => {
    let request = new Request("http://backend:8080/", { headers: forwarded });
    expect(readClient(request, peer, trusted)).toEqual({
      address: peer,
      untrustedHost: "backend:8080",
      secure: false,
      byProxy: false,
    });
  });

  test("takes the host of the URL for a request that never was on the wire", () => {
    expect(readClient(new Request("http://localhost:81/x"), null, trusted).untrustedHost).toBe(
      "localhost:81",
    );
  });
});
