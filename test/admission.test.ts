import { expect, test } from "bun:test";

import { createAdmission } from "../src/admission.ts";
import { createByteBudget } from "../src/byte-budget.ts";
import { KIB, MIB } from "../src/units.ts";

const inspectBytes = 448 * KIB;
const never = new AbortController().signal;

test("with as many files let in as can be, the largest part of the smallest memory still fits", async () => {
  let budget = createByteBudget(24 * MIB);
  let admission = createAdmission(budget, inspectBytes);
  let stays: (() => void)[] = [];
  for (;;) {
    let leave = await admission.enter(null, never).catch(() => null);
    if (!leave) break;
    stays.push(leave);
  }
  expect(stays.length).toBeGreaterThan(20);
  expect(budget.freeBytes).toBeGreaterThanOrEqual(8 * MIB);
  for (let leave of stays) leave();
  expect(budget.freeBytes).toBe(24 * MIB);
});

test("a file beyond that is told to come back, at once", async () => {
  let admission = createAdmission(createByteBudget(MIB), inspectBytes);
  await admission.enter(null, never);
  await expect(admission.enter(null, never)).rejects.toMatchObject({ code: "server_busy" });
});

test("what Bun may hold unread of each file is set aside, and given back", async () => {
  let budget = createByteBudget(256 * MIB);
  let leave = await createAdmission(budget, inspectBytes).enter(10 * MIB, never);
  expect(budget.freeBytes).toBe(254 * MIB - inspectBytes);
  leave();
  expect(budget.freeBytes).toBe(256 * MIB);
});
