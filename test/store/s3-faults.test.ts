import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type ByteBudget, createByteBudget } from "../../src/byte-budget.ts";
import { toAppError } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { createSpool } from "../../src/spool.ts";
import { createS3Storage } from "../../src/store/s3/s3-storage.ts";
import type { Storage } from "../../src/store/storage.ts";
import { MIB } from "../../src/units.ts";
import {
  accessDenied,
  type Fault,
  internalError,
  type Operation,
  requestTimeout,
  type S3Fake,
  slowDown,
  startS3Fake,
} from "../support/s3-fake.ts";
import { bytesOf, putRequest, thenFailure, thenSilence } from "./bodies.ts";

const partBytes = MIB;
/** Three parts, the last of them short. */
const large = bytesOf(2 * partBytes + 12_345);
const small = bytesOf(1000);
const lost: Fault = { kind: "lostAnswer" };

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-faults-"));
let fake: S3Fake;
let budget: ByteBudget;
let storage: Storage;
let made = 0;

beforeAll(async () => {
  fake = await startS3Fake({ minPartBytes: partBytes });
});
beforeEach(() => {
  fake.calls.length = 0;
  fake.objects.clear();
  budget = createByteBudget(64 * MIB);
  storage = createS3Storage({
    bucket: fake.bucket,
    prefix: "",
    region: fake.region,
    endpointUrl: fake.endpointUrl,
    forcePathStyle: true,
    credentials: fake.credentials,
    partBytes,
    budget,
    spool: createSpool(join(folder, "spool")),
    log: silentLog,
  });
});
afterEach(() => {
  fake.script.heal();
  expect([...fake.unfinished.keys()]).toEqual([]);
  expect(budget.heldBytes).toBe(0);
});
afterAll(async () => {
  await fake.stop();
  rmSync(folder, { recursive: true, force: true });
});

function put(bytes: Uint8Array, other: Parameters<typeof putRequest>[2] = {}) {
  return storage.put(putRequest(`key-${++made}`, bytes, other));
}

function callsOf(operation: Operation): number {
  return fake.calls.filter((call) => call.operation === operation).length;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: unknown) => toAppError(error).code,
  );
}

function expectOneObject(bytes: Uint8Array): void {
  expect(fake.objects.size).toBe(1);
  expect(Bun.SHA256.hash(fake.objects.get(`key-${made}`)!.bytes)).toEqual(Bun.SHA256.hash(bytes));
}

describe("one fault is tried over", () => {
  let faults: [string, Fault][] = [
    ["500", internalError],
    ["503 SlowDown", slowDown],
    ["400 RequestTimeout", requestTimeout],
    ["a reset connection", { kind: "resetBefore" }],
    ["a lost answer", lost],
  ];
  let steps: [Operation, Uint8Array][] = [
    ["PutObject", small],
    ["CreateMultipartUpload", large],
    ["UploadPart", large],
    ["CompleteMultipartUpload", large],
  ];
  for (let [step, bytes] of steps) {
    for (let [name, fault] of faults) {
      test(`${name} at ${step}`, async () => {
        fake.script.fail(step, fault);
        expect(await put(bytes)).toEqual({ sizeBytes: bytes.byteLength });
        expectOneObject(bytes);
        expect(fake.calls.filter((call) => call.fault !== null)).toHaveLength(1);
      });
    }
  }

  test("a 200 with an error in it at Complete", async () => {
    fake.script.fail("CompleteMultipartUpload", { kind: "errorIn200", code: "InternalError" });
    await put(large);
    expectOneObject(large);
    expect(callsOf("CompleteMultipartUpload")).toBe(2);
  });

  test("a truncated answer at Complete", async () => {
    fake.script.fail("CompleteMultipartUpload", { kind: "truncate" });
    await put(large);
    expectOneObject(large);
  });

  test("any part, whichever it is", async () => {
    for (let skip of [0, 1, 2]) {
      fake.objects.clear();
      fake.script.fail("UploadPart", slowDown, { skip });
      await put(large);
      expectOneObject(large);
    }
  });
});

describe("what fails leaves nothing", () => {
  test("a definite no at a part ends the put at once, without retries", async () => {
    fake.script.fail("UploadPart", accessDenied, { times: Infinity });
    expect(await codeOf(put(large))).toBe("storage_error");
    expect(callsOf("UploadPart")).toBeLessThanOrEqual(2);
    expect(callsOf("AbortMultipartUpload")).toBe(1);
    expect(fake.objects.size).toBe(0);
  });

  test("a definite no at a part ends the put while its sender says nothing", async () => {
    fake.script.fail("UploadPart", accessDenied, { times: Infinity });
    let { body } = thenSilence(large.subarray(0, partBytes + 10));
    expect(await codeOf(put(large, { body }))).toBe("storage_error");
    expect(fake.objects.size).toBe(0);
  });

  for (let step of ["PutObject", "CreateMultipartUpload", "CompleteMultipartUpload"] as const) {
    test(`a definite no at ${step}`, async () => {
      fake.script.fail(step, accessDenied, { times: Infinity });
      expect(await codeOf(put(step === "PutObject" ? small : large))).toBe("storage_error");
      expect(callsOf(step)).toBe(1);
      expect(fake.objects.size).toBe(0);
    });
  }

  test("a body that breaks off", async () => {
    let gone = new Error("gone");
    for (let length of [10, partBytes - 1, partBytes, partBytes + 1, 2 * partBytes + 5]) {
      let body = thenFailure(large.subarray(0, length), gone);
      expect(await put(large, { body, declaredBytes: null }).catch((error: unknown) => error)).toBe(gone);
    }
    expect(fake.objects.size).toBe(0);
  });

  for (let step of ["CreateMultipartUpload", "UploadPart"] as const) {
    test(`an abort while ${step} gets no answer`, async () => {
      fake.script.fail(step, { kind: "stall" }, { times: Infinity });
      let stop = new AbortController();
      let reason = new Error("stopped");
      let work = put(large, { signal: stop.signal }).catch((error: unknown) => error);
      while (callsOf(step) === 0) await Bun.sleep(5);
      stop.abort(reason);
      expect(await work).toBe(reason);
      expect(fake.objects.size).toBe(0);
    });
  }

  for (let [step, bytes] of [
    ["CompleteMultipartUpload", large],
    ["PutObject", bytesOf(1000)],
  ] as const) {
    test(`an abort while ${step} makes the object`, async () => {
      fake.script.fail(step, { kind: "delay", ms: 300 });
      let stop = new AbortController();
      let reason = new Error("stopped");
      let work = put(bytes, { signal: stop.signal }).catch((error: unknown) => error);
      while (callsOf(step) === 0) await Bun.sleep(5);
      stop.abort(reason);
      expect(await work).toBe(reason);
      await Bun.sleep(400);
      expect(fake.objects.size).toBe(0);
    });

    test(`an abort while ${step} gets no answer, which says that nobody knows`, async () => {
      fake.script.fail(step, { kind: "stall" }, { times: Infinity });
      let stop = new AbortController();
      let work = put(bytes, { signal: stop.signal });
      while (callsOf(step) === 0) await Bun.sleep(5);
      stop.abort(new Error("stopped"));
      expect(await codeOf(work)).toBe("storage_unavailable");
    });
  }

  test("an abort while Create's answer was lost leaves no stray upload", async () => {
    fake.script.fail("CreateMultipartUpload", lost);
    fake.script.fail("CreateMultipartUpload", { kind: "stall" }, { times: Infinity });
    let stop = new AbortController();
    let work = put(large, { signal: stop.signal }).catch((error: unknown) => error);
    while (callsOf("CreateMultipartUpload") < 2) await Bun.sleep(5);
    stop.abort(new Error("stopped"));
    await work;
    expect(fake.objects.size).toBe(0);
  });
});

/** What becomes of a deletion whose later tries are refused. */
async function refusedAfter(first: Fault): Promise<string> {
  await put(small);
  fake.script.fail("DeleteObject", first);
  fake.script.fail("DeleteObject", accessDenied, { times: Infinity });
  return codeOf(storage.delete(`key-${made}`));
}

describe("a deletion that is refused after a try without an answer", () => {
  test("is done when that try has removed the object", async () => {
    expect(await refusedAfter(lost)).toBe("no error");
    expect(fake.objects.size).toBe(0);
  });

  test("is a refusal when the object is there", async () => {
    expect(await refusedAfter(internalError)).toBe("storage_error");
    expect(fake.objects.size).toBe(1);
  });

  test("is not known to be either when nobody can look", async () => {
    fake.script.fail("HeadObject", internalError, { times: Infinity });
    expect(await refusedAfter(lost)).toBe("storage_unavailable");
    fake.script.heal();
    fake.script.fail("HeadObject", accessDenied, { times: Infinity });
    expect(await refusedAfter(slowDown)).toBe("storage_unavailable");
  });
});

test("a connection is not held by a put that was stopped", async () => {
  fake.script.fail("UploadPart", { kind: "stall" }, { times: Infinity });
  let stop = new AbortController();
  let work = put(large, { signal: stop.signal }).catch(() => {});
  while (callsOf("UploadPart") < 2) await Bun.sleep(5);
  stop.abort(new Error("stopped"));
  await work;
  fake.script.heal();
  await put(large);
  expectOneObject(large);
});
