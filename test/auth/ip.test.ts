import { expect, test } from "bun:test";

import { isUnspecified, normalAddress, senderOf } from "../../src/auth/ip.ts";

test.each([
  ["1.2.3.4", "1.2.3.4"],
  [" 1.2.3.4 ", "1.2.3.4"],
  ["::FFFF:1.2.3.4", "1.2.3.4"],
  ["::ffff:0102:0304", "1.2.3.4"],
  ["::ffff:255.255.255.255", "255.255.255.255"],
  ["[2001:DB8:0:0:0:0:0:1]", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["1.2.3", null],
  ["1.2.3.4.5", null],
  ["256.1.1.1", null],
  ["example.org", null],
  ["", null],
])("normalAddress(%j) is %p", (text, expected) => {
  expect(normalAddress(text)).toBe(expected);
});

test("a listening address that stands for all is told from one that does not", () => {
  expect(["0.0.0.0", "::", "[::]", ""].map(isUnspecified)).toEqual([true, true, true, true]);
  expect(["127.0.0.1", "::1", "example.org"].map(isUnspecified)).toEqual([false, false, false]);
});

test("an IPv6 sender is its /64 network, an IPv4 sender its address", () => {
  expect(senderOf("1.2.3.4")).toBe("1.2.3.4");
  expect(senderOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(senderOf("2001:db8:1:2::6")).toBe("2001:db8:1:2::/64");
  expect(senderOf("2001:db8::6")).toBe("2001:db8:0:0::/64");
  expect(senderOf("::1")).toBe("0:0:0:0::/64");
});
