import { describe, expect, test } from "bun:test";

import { createHostCheck } from "../../src/auth/hosts.ts";
import { AppError } from "../../src/errors.ts";

const check = createHostCheck({
  host: "uploads.internal",
  publicUrl: "https://Files.Example.org:8443/somewhere",
  hostname: "Nas.home.example",
});

describe("believed", () => {
  test.each([
    "localhost",
    "localhost:8080",
    "LOCALHOST:8080",
    "localhost.",
    "app.localhost:3000",
    "127.0.0.1:8080",
    "127.1:8080",
    "0x7f.1",
    "192.168.1.5",
    "203.0.113.9:80",
    "[::1]:8080",
    "[fe80::1]",
    "[::ffff:10.0.0.1]:8080",
    "uploads.internal:8080",
    "nas.home.example",
    "nas",
    "NAS:8080",
    "nas.local",
    "files.example.org",
    "files.example.org:8443",
    "files.example.org:9999",
    "files.example.org.",
  ])("%s", (host) => {
    expect(check(host)).toBe(host.toLowerCase());
  });
});

describe("refused", () => {
  test.each([
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io:8080",
    "notfiles.example.org",
    "files.example.org.evil.example",
    "x.files.example.org",
    "nas.evil.example",
    "evil.local",
    "evil.example/127.0.0.1",
    "127.0.0.1/evil.example",
    "user@127.0.0.1",
    "evil.example#@127.0.0.1",
    "127.0.0.1:8080:80",
    "127.0.0.1:port",
    "127.0.0.1, evil.example",
    "%6cocalhost",
    "[::1",
    "[evil.example]",
    "[::1].evil.example",
    ".",
    "..",
    "1.2.3.4.5",
    "a".repeat(1000),
  ])("%j", (host) => {
    let refusal: unknown;
    try {
      check(host);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(AppError);
    expect((refusal as AppError).code).toBe("untrusted_host");
    expect((refusal as AppError).message.length).toBeLessThan(400);
  });

  test.each([null, "", " "])("%j, as a request that is broken", (host) => {
    expect(() => check(host)).toThrow(expect.objectContaining({ code: "bad_request" }));
  });

  test("with a sentence that says what to change", () => {
    expect(() => check("files.example.com:8080")).toThrow(
      "This server does not answer to the name “files.example.com”. If that is its address, set public_url to it.",
    );
  });
});

test("without a public URL, a listening address for all and a nameless machine, only localhost and addresses stay", () => {
  let bare = createHostCheck({ host: "0.0.0.0", publicUrl: null, hostname: "" });
  expect(bare("localhost")).toBe("localhost");
  expect(bare("0.0.0.0:8080")).toBe("0.0.0.0:8080");
  for (let host of [".local", "local", "evil.example", "nas"]) expect(() => bare(host)).toThrow(AppError);
});
