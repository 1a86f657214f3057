import { expect, test } from "bun:test";

import { createAttempts } from "../../src/auth/attempts.ts";
import { AppError } from "../../src/errors.ts";

function world() {
  let nowMs = 0;
  let attempts = createAttempts({ nowMs: () => nowMs });
  return {
    attempts,
    pass: (ms: number) => (nowMs += ms),
    fail: (times: number, address: string, name?: string) => {
      for (let i = 0; i < times; i++) attempts.begin(address, name);
    },
  };
}

test("ten failures are free, then one each half minute", () => {
  let { attempts, pass, fail } = world();
  fail(10, "203.0.113.9");
  expect(() => attempts.begin("203.0.113.9")).toThrow(AppError);
  pass(29_999);
  expect(() => attempts.begin("203.0.113.9")).toThrow("Too many failed sign-ins");
  pass(1);
  attempts.begin("203.0.113.9");
  expect(() => attempts.begin("203.0.113.9")).toThrow(AppError);
  pass(10 * 30_000);
  fail(10, "203.0.113.9");
});

test("attempts at the same time count before any has failed, and a success gives its own back", () => {
  let { attempts, fail } = world();
  let first = attempts.begin("203.0.113.9");
  fail(9, "203.0.113.9");
  expect(() => attempts.begin("203.0.113.9")).toThrow(AppError);
  first.succeeded();
  attempts.begin("203.0.113.9");
  expect(() => attempts.begin("203.0.113.9")).toThrow(AppError);
});

test("one sender's failures are not another's, but an IPv6 network is one sender", () => {
  let { attempts } = world();
  for (let i = 0; i < 10; i++) attempts.begin(`2001:db8:1:2::${i}`);
  expect(() => attempts.begin("2001:db8:1:2::ffff")).toThrow(AppError);
  attempts.begin("2001:db8:1:3::1");
  attempts.begin("203.0.113.9");
  attempts.begin(null);
});

test("a name is tried by many senders only so often, but not closed to who signed in from there before", () => {
  let { attempts, pass, fail } = world();
  attempts.begin("203.0.113.9", "ann").succeeded();
  for (let sender = 0; sender < 6; sender++) fail(5, `10.0.0.${sender}`, "ann");
  expect(() => attempts.begin("10.0.1.1", "ann")).toThrow(AppError);
  attempts.begin("10.0.1.1", "bob");
  attempts.begin("203.0.113.9", "ann");
  pass(30_000);
  attempts.begin("10.0.1.1", "ann");
});

test("many senders that each try a few names are slowed down together", () => {
  let { attempts, pass } = world();
  attempts.begin("203.0.113.9", "ann").succeeded();
  for (let i = 0; i < 200; i++) attempts.begin(`10.0.0.${i}`, `name${i}`);
  expect(() => attempts.begin("10.0.1.1", "carol")).toThrow(AppError);
  attempts.begin("203.0.113.9", "ann");
  // Tokens can't be guessed: nobody who has one is kept out by a crowd.
  attempts.begin("10.0.1.1");
  pass(5_000);
  attempts.begin("10.0.1.1", "carol");
});

test("what came to no answer does not count", () => {
  let { attempts } = world();
  for (let i = 0; i < 50; i++) attempts.begin("203.0.113.9", "ann").withdraw();
});

test("a flood of senders is forgotten from its oldest end", () => {
  let { attempts, fail } = world();
  fail(10, "203.0.113.9");
  for (let i = 0; i < 10_000; i++) attempts.begin(`10.0.${i >> 8}.${i & 255}`);
  attempts.begin("203.0.113.9");
});
