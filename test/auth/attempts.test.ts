import { expect, test } from "bun:test";

import { createAttempts } from "../../src/auth/attempts.ts";
import { AppError } from "../../src/errors.ts";

function world() {
  let nowMs = 0;
  let attempts = createAttempts({ nowMs: () => nowMs });
  return { attempts, pass: (ms: number) => (nowMs += ms) };
}

test("ten failures are free, then one each half minute", () => {
  let { attempts, pass } = world();
  for (let i = 0; i < 10; i++) {
    attempts.admit("203.0.113.9");
    attempts.failed("203.0.113.9");
  }
  expect(() => attempts.admit("203.0.113.9")).toThrow(AppError);
  pass(29_999);
  expect(() => attempts.admit("203.0.113.9")).toThrow("Too many failed sign-ins");
  pass(1);
  attempts.admit("203.0.113.9");
  attempts.failed("203.0.113.9");
  expect(() => attempts.admit("203.0.113.9")).toThrow(AppError);
  pass(10 * 30_000);
  for (let i = 0; i < 10; i++) {
    attempts.admit("203.0.113.9");
    attempts.failed("203.0.113.9");
  }
});

test("one sender's failures are not another's, but an IPv6 network is one sender", () => {
  let { attempts } = world();
  for (let i = 0; i < 10; i++) attempts.failed(`2001:db8:1:2::${i}`);
  expect(() => attempts.admit("2001:db8:1:2::ffff")).toThrow(AppError);
  attempts.admit("2001:db8:1:3::1");
  attempts.admit("203.0.113.9");
  attempts.admit(null);
});

test("a flood of senders is forgotten from its oldest end", () => {
  let { attempts } = world();
  for (let i = 0; i < 10; i++) attempts.failed("203.0.113.9");
  for (let i = 0; i < 10_000; i++) attempts.failed(`10.0.${i >> 8}.${i & 255}`);
  attempts.admit("203.0.113.9");
});
