import { describe, expect } from "bun:test";

import type { ProxyFault } from "../support/fault-proxy.ts";
import { createSteps, stored, uploadSteps } from "./steps.ts";
import { timeoutSeconds } from "./world.ts";

const passing: [string, ProxyFault][] = [
  ["500", { kind: "status", status: 500, code: "InternalError" }],
  ["503 SlowDown", { kind: "status", status: 503, code: "SlowDown" }],
  ["a reset before the bucket has heard of it", { kind: "resetBefore" }],
  ["a lost answer", { kind: "resetAfter" }],
  ["a cut answer", { kind: "cutAnswer" }],
  ["a cut request", { kind: "cutRequest" }],
  ["a late answer", { kind: "late", ms: 300 }],
  ["silence", { kind: "stall" }],
  ["silence after the work", { kind: "stallAfter" }],
  ["a call that arrives after its next try", { kind: "arrivesLate", ms: timeoutSeconds * 1300 }],
  ["a call that is done two times", { kind: "twice" }],
  ["a 200 with an error in it", { kind: "errorIn200", code: "InternalError" }],
  ["an empty 200 for nothing", { kind: "blank", done: false }],
  ["an empty 200 for what is done", { kind: "blank", done: true }],
];

describe("a sender does not notice a fault that passes", () => {
  let steps = createSteps([...uploadSteps.map(([step]) => step), "DeleteObject"]);

  for (let [step, bytes] of uploadSteps) {
    for (let [name, fault] of passing) {
      steps.at(step, name, async (world, rows) => {
        world.proxy.script.fail(step, fault);
        await stored(world, bytes);
        expect(world.proxy.calls.filter((call) => call.fault)).toHaveLength(1);
        return rows + 1;
      });
    }
    steps.nothingIsLeft(step);
  }

  // An empty 200 is as good an answer to Delete as any.
  for (let [name, fault] of passing.filter(([, { kind }]) => !["blank", "errorIn200"].includes(kind))) {
    steps.at("DeleteObject", name, async (world, rows) => {
      let id = await stored(world, new TextEncoder().encode(name));
      world.proxy.script.fail("DeleteObject", fault);
      expect((await world.delete(id)).status).toBe(200);
      expect(world.proxy.calls.filter((call) => call.fault)).toHaveLength(1);
      return rows;
    });
  }
  steps.nothingIsLeft("DeleteObject");
});
