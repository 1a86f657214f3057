import { describe, expect } from "bun:test";

import { expectError } from "../support/expect-error.ts";
import type { ProxyFault } from "../support/fault-proxy.ts";
import { createSteps, stored, uploadSteps } from "./steps.ts";
import { timeoutSeconds } from "./world.ts";

/** Of a part of 8 MiB: three time-outs, one more for the second try, and what may be waited for the undoing. */
const longestAnswerMs = (4 * timeoutSeconds + 10) * 1000;

const unavailable: [string, ProxyFault][] = [
  ["500", { kind: "status", status: 500, code: "InternalError" }],
  ["503 SlowDown", { kind: "status", status: 503, code: "SlowDown" }],
  ["resets", { kind: "resetBefore" }],
  ["lost answers", { kind: "resetAfter" }],
  ["cut answers", { kind: "cutAnswer" }],
  ["silence", { kind: "stall" }],
  ["silence after the work", { kind: "stallAfter" }],
  ["calls that arrive when they are given up", { kind: "arrivesLate", ms: timeoutSeconds * 1100 }],
  ["empty 200s", { kind: "blank", done: false }],
];
const denied: ProxyFault = { kind: "status", status: 403, code: "AccessDenied" };

async function expectUnavailable(answer: Response): Promise<void> {
  await expectError(answer, 503, "storage_unavailable");
  expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
}

describe("a sender hears of a fault that lasts, in bounded time, and nothing is left", () => {
  let steps = createSteps([...uploadSteps.map(([step]) => step), "DeleteObject"]);

  for (let [step, bytes] of uploadSteps) {
    for (let [name, fault] of unavailable) {
      // A part is waited for longer than these calls are late.
      if (step === "UploadPart" && fault.kind === "arrivesLate") continue;
      // The object is there then, and a look at it proves it.
      let isTaken =
        step === "CompleteMultipartUpload" &&
        ["resetAfter", "cutAnswer", "stallAfter", "arrivesLate"].includes(fault.kind);
      steps.at(step, `${name}: ${isTaken ? 201 : 503}`, async (world, rows) => {
        world.proxy.script.fail(step, fault, { times: Infinity });
        let began = performance.now();
        if (isTaken) await stored(world, bytes);
        else await expectUnavailable(await world.put("a.bin", bytes));
        expect(performance.now() - began).toBeLessThan(longestAnswerMs);
        return isTaken ? rows + 1 : rows;
      });
    }
    steps.at(step, "403: 502", async (world, rows) => {
      world.proxy.script.fail(step, denied, { times: Infinity });
      await expectError(await world.put("a.bin", bytes), 502, "storage_error");
      return rows;
    });
    steps.nothingIsLeft(step);
  }

  for (let [name, fault] of unavailable.filter(([, { kind }]) => kind !== "blank")) {
    steps.at("DeleteObject", `${name}: 503, and the file is out of sight`, async (world, rows) => {
      let id = await stored(world, new TextEncoder().encode(name));
      world.proxy.script.fail("DeleteObject", fault, { times: Infinity });
      await expectUnavailable(await world.delete(id));
      expect((await fetch(`${world.server.base}/files/${id}.json`)).status).toBe(404);
      return rows;
    });
  }
  steps.at("DeleteObject", "403: 502, and the file stays", async (world, rows) => {
    let id = await stored(world, new TextEncoder().encode("kept"));
    world.proxy.script.fail("DeleteObject", denied, { times: Infinity });
    await expectError(await world.delete(id), 502, "storage_error");
    expect((await fetch(`${world.server.base}/files/${id}/download`)).status).toBe(200);
    return rows + 1;
  });
  steps.nothingIsLeft("DeleteObject");
});
