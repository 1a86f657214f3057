import { describe, expect, test } from "bun:test";

import { ensureAccess, type EnsureAccessOptions } from "../../src/auth/first-token.ts";
import type { NewToken } from "../../src/state/tokens.ts";

function start(given: Partial<EnsureAccessOptions>, existing = 0) {
  let made: NewToken[] = [];
  let tokens = {
    count: () => existing,
    create: (token: NewToken) => ({ id: made.push(token), token: "s3u_TOKEN" }),
  };
  let result = ensureAccess({
    tokens,
    allowAnonymous: [],
    publicUrl: null,
    host: "0.0.0.0",
    port: 8080,
    basePath: "/-/s3-uploads",
    addresses: [
      { address: "127.0.0.1", internal: true },
      { address: "fe80::1", internal: false },
      { address: "192.168.1.5", internal: false },
      { address: "10.0.0.5", internal: false },
    ],
    hostname: "nas",
    ...given,
  });
  return { result, made };
}

describe("ensureAccess", () => {
  test("makes no token where everybody may do everything", () => {
    let { result, made } = start({ allowAnonymous: ["delete", "view", "upload"] });
    expect(result).toEqual({ base: "http://192.168.1.5:8080", kind: "open" });
    expect(made).toEqual([]);
  });

  test("makes a token for everything, of which the link works once, and tells the link", () => {
    let { result, made } = start({});
    expect(made).toEqual([
      { name: "first link", scopes: ["upload", "view", "delete", "admin"], linkOnce: true },
    ]);
    expect(result).toMatchObject({
      kind: "created",
      link: "http://192.168.1.5:8080/-/s3-uploads/sign-in?token=s3u_TOKEN",
    });
  });

  test("makes one as well where only a part is open", () => {
    expect(start({ allowAnonymous: ["upload"] }).made).toHaveLength(1);
  });

  test("tells how to make another one when there is one", () => {
    let { result, made } = start({}, 1);
    expect(made).toEqual([]);
    expect(result).toEqual({
      base: "http://192.168.1.5:8080",
      kind: "present",
      sentence:
        "Sign in at http://192.168.1.5:8080/-/s3-uploads/sign-in; “s3-uploads user add NAME” makes a new user, “s3-uploads token create” a new token.",
    });
  });

  test("makes none where there is a user", () => {
    expect(start({ users: { count: () => 1 } }).made).toEqual([]);
  });

  test.each<[string, Partial<EnsureAccessOptions>, string]>([
    ["public_url", { publicUrl: "https://files.example.org/" }, "https://files.example.org/-/"],
    ["a listening address of its own", { host: "10.0.0.5" }, "http://10.0.0.5:8080/-/"],
    ["an IPv6 listening address", { host: "2001:db8::1" }, "http://[2001:db8::1]:8080/-/"],
    ["a listening name", { host: "nas.local" }, "http://nas.local:8080/-/"],
    ["the machine's name without an address", { host: "::", addresses: [] }, "http://nas:8080/-/"],
  ])("the link leads to %s", (_, given, beginning) => {
    let { result } = start(given);
    expect(result.kind === "created" && result.link).toStartWith(beginning);
  });
});
