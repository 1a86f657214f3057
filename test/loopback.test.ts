import { expect, test } from "bun:test";

import { isLoopback } from "../src/loopback.ts";

test.each([
  ["127.0.0.1", true],
  ["127.9.8.7", true],
  ["::1", true],
  ["[::1]", true],
  ["0:0:0:0:0:0:0:1", true],
  ["::ffff:127.0.0.1", true],
  ["localhost", true],
  ["LOCALHOST.", true],
  ["app.localhost", true],
  ["[::ffff:7fff:1]", true],
  ["::ffff:7f:1", false],
  ["::1%lo", false],
  ["0.0.0.0", false],
  ["::", false],
  ["128.0.0.1", false],
  ["192.168.1.2", false],
  ["127.example.org", false],
  ["localhost.example.org", false],
  ["notlocalhost", false],
  ["", false],
])("isLoopback(%j) is %p", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
