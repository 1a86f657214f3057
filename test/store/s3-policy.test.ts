import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createByteBudget } from "../../src/byte-budget.ts";
import { toAppError } from "../../src/errors.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { createSpool } from "../../src/spool.ts";
import { createS3Storage } from "../../src/store/s3/s3-storage.ts";
import type { Storage } from "../../src/store/storage.ts";
import { MIB } from "../../src/units.ts";
import { type Operation, type S3Fake, startS3Fake } from "../support/s3-fake.ts";
import { bytesOf, putRequest } from "./bodies.ts";

const partBytes = MIB;
const large = bytesOf(2 * partBytes + 12_345);
const notImplemented = { kind: "status", status: 501, code: "NotImplemented" } as const;

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-policy-"));
let fake: S3Fake;
let storage: Storage;
let warnings: string[];

beforeAll(async () => {
  fake = await startS3Fake({ minPartBytes: partBytes });
});
afterAll(async () => {
  await fake.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  fake.script.heal();
  fake.objects.clear();
  fake.unfinished.clear();
  fake.calls.length = 0;
  warnings = [];
  let log: Log = { ...silentLog, warn: (_facts, message) => void warnings.push(message) };
  storage = createS3Storage({
    bucket: fake.bucket,
    prefix: "uploads/",
    region: fake.region,
    endpointUrl: fake.endpointUrl,
    forcePathStyle: true,
    credentials: fake.credentials,
    partBytes,
    budget: createByteBudget(64 * MIB),
    spool: createSpool(join(folder, "spool")),
    log,
  });
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => toAppError(error).code,
  );
}

describe("a bucket that may not be listed", () => {
  beforeEach(() => fake.script.deny("ListObjectsV2"));

  test("is good enough when files may be put, and that is found out without leaving anything", async () => {
    await storage.probe();
    await storage.probe();
    expect(storage.shortcomings).toHaveLength(1);
    expect(storage.shortcomings?.[0]).toContain("reconcile, import and the search for stray objects do not");
    expect(storage.shortcomings?.[0]).toContain("Allow s3:ListBucket");
    expect(warnings).toEqual([...(storage.shortcomings ?? [])]);
    expect([fake.objects.size, fake.unfinished.size]).toEqual([0, 0]);
  });

  test("is not when files may not be put either, or their bucket is missing", async () => {
    fake.script.deny("UploadPart");
    let refused = await storage.probe().catch(toAppError);
    expect(refused).toMatchObject({ code: "storage_error" });
    expect(String(refused)).toContain("allow s3:PutObject");
    fake.script.heal();
    fake.script.deny("ListObjectsV2");
    fake.script.fail("UploadPart", { kind: "status", status: 404, code: "NoSuchBucket" });
    expect(await codeOf(storage.probe())).toBe("storage_error");
    fake.script.fail("UploadPart", { kind: "status", status: 503, code: "SlowDown" }, { times: 9 });
    expect(await codeOf(storage.probe())).toBe("storage_unavailable");
  });

  test("takes files, gives them back and deletes them; of a missing one it could not be known", async () => {
    await storage.put(putRequest("uploads/a", large));
    await storage.put(putRequest("uploads/b", bytesOf(10)));
    expect((await storage.head("uploads/a"))?.sizeBytes).toBe(large.length);
    let { body } = await storage.open("uploads/b");
    expect(await new Response(body).bytes()).toEqual(bytesOf(10));
    await storage.delete("uploads/b");
    expect(await codeOf(storage.head("uploads/b"))).toBe("storage_error");
    expect(await codeOf(storage.open("uploads/b"))).toBe("storage_error");
  });

  test("is said to be in order when it may be listed again", async () => {
    await storage.probe();
    fake.script.heal();
    await storage.probe();
    expect(storage.shortcomings).toEqual([]);
  });
});

test("another no to the list than that of a policy is none that can be lived with", async () => {
  for (let code of ["SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestTimeTooSkewed"]) {
    fake.script.fail("ListObjectsV2", { kind: "status", status: 403, code }, { times: 3 });
    expect(await codeOf(storage.probe())).not.toBe("done");
    fake.script.heal();
  }
  expect(storage.shortcomings).toEqual([]);
});

describe("what an upload that fails can't clean up is said once, with what to do:", () => {
  let cases: [what: string, forbid: () => void, sentence: RegExp][] = [
    ["aborting is denied", () => fake.script.deny("AbortMultipartUpload"), /AbortIncompleteMultipartUpload/],
    [
      "listing unfinished uploads is denied",
      () => fake.script.deny("ListMultipartUploads"),
      /Allow s3:ListBucketMultipartUploads/,
    ],
    [
      "listing unfinished uploads is not there",
      () => fake.script.fail("ListMultipartUploads", notImplemented, { times: 1000 }),
      /can't list unfinished uploads/,
    ],
  ];
  for (let [what, forbid, sentence] of cases) {
    test(what, async () => {
      forbid();
      let operation: Operation = what.startsWith("abort") ? "UploadPart" : "CreateMultipartUpload";
      for (let nth = 0; nth < 3; nth++) {
        let failing = { kind: "status", status: 400, code: "InvalidRequest" } as const;
        fake.script.fail(operation, failing, { times: 10 });
        expect(await codeOf(storage.put(putRequest(`uploads/${nth}`, large)))).toBe("storage_error");
      }
      expect(storage.shortcomings).toHaveLength(1);
      expect(storage.shortcomings?.[0]).toMatch(sentence);
      expect(warnings).toEqual([...(storage.shortcomings ?? [])]);
    });
  }

  test("deleting is denied", async () => {
    fake.script.deny("DeleteObject");
    await storage.put(putRequest("uploads/a", bytesOf(10)));
    for (let nth = 0; nth < 3; nth++) expect(await codeOf(storage.delete("uploads/a"))).toBe("storage_error");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("Allow s3:DeleteObject");
  });
});
