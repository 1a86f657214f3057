import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

import { accessDenied, slowDown, startS3Fake } from "../support/s3-fake.ts";
import type { Fault, S3Fake } from "../support/s3-fake.ts";

const hello = new TextEncoder().encode("hello");

describe("the fake S3", () => {
  let fake: S3Fake;
  let client: S3Client;
  beforeEach(async () => {
    fake = await startS3Fake({ minPartBytes: 4 });
    client = new S3Client({
      region: fake.region,
      endpoint: fake.endpointUrl,
      forcePathStyle: true,
      credentials: fake.credentials,
      maxAttempts: 1,
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
  });
  afterEach(async () => {
    client.destroy();
    await fake.stop();
  });

  let at = (Key: string) => ({ Bucket: fake.bucket, Key });
  let get = (abortSignal?: AbortSignal) =>
    client.send(new GetObjectCommand(at("x")), abortSignal ? { abortSignal } : {});
  let put = (key: string) => client.send(new PutObjectCommand({ ...at(key), Body: hello }));

  async function begin(parts: string[], algorithm?: "CRC32") {
    let { UploadId } = await client.send(
      new CreateMultipartUploadCommand({
        ...at("m"),
        ...(algorithm ? { ChecksumAlgorithm: algorithm } : {}),
      }),
    );
    let Parts = [];
    for (let [i, text] of parts.entries()) {
      let PartNumber = i + 1;
      let part = { ...at("m"), UploadId, PartNumber, Body: new TextEncoder().encode(text) };
      Parts.push({ PartNumber, ETag: (await client.send(new UploadPartCommand(part))).ETag });
    }
    let command = () =>
      new CompleteMultipartUploadCommand({ ...at("m"), UploadId, MultipartUpload: { Parts } });
    return { UploadId, complete: () => client.send(command()) };
  }

  test("keeps objects with type and metadata, whole and by range", async () => {
    let Metadata = { filename: "%F0%9F%8E%89" };
    await client.send(
      new PutObjectCommand({ ...at("a/b c"), Body: hello, ContentType: "text/plain", Metadata }),
    );
    let head = await client.send(new HeadObjectCommand(at("a/b c")));
    expect(head).toMatchObject({ ContentLength: 5, ContentType: "text/plain", Metadata });
    let part = await client.send(new GetObjectCommand({ ...at("a/b c"), Range: "bytes=1-3" }));
    expect(await part.Body?.transformToString()).toBe("ell");
    expect(part.ContentRange).toBe("bytes 1-3/5");
    expect(fake.bytesHeld).toBe(5);
  });

  test("lists in pages, in byte order, behind a key", async () => {
    for (let key of ["b", "a/1", "a-1", "a/2"]) await put(key);
    let first = await client.send(new ListObjectsV2Command({ Bucket: fake.bucket, Prefix: "a", MaxKeys: 2 }));
    expect(first.Contents?.map((object) => object.Key)).toEqual(["a-1", "a/1"]);
    let token = { Bucket: fake.bucket, Prefix: "a", ContinuationToken: first.NextContinuationToken };
    expect((await client.send(new ListObjectsV2Command(token))).Contents?.map((o) => o.Key)).toEqual(["a/2"]);
    let after = { Bucket: fake.bucket, StartAfter: "a/1" };
    expect((await client.send(new ListObjectsV2Command(after))).Contents?.map((o) => o.Key)).toEqual([
      "a/2",
      "b",
    ]);
  });

  test("puts parts together once; a second Complete finds no upload", async () => {
    let { UploadId, complete } = await begin(["12345", "67890", "x"]);
    let listed = await client.send(new ListMultipartUploadsCommand({ Bucket: fake.bucket }));
    expect(listed.Uploads).toMatchObject([{ Key: "m", UploadId }]);
    let parts = await client.send(new ListPartsCommand({ ...at("m"), UploadId }));
    expect(parts.Parts?.map((part) => part.Size)).toEqual([5, 5, 1]);
    await complete();
    expect(new TextDecoder().decode(fake.objects.get("m")?.bytes)).toBe("1234567890x");
    expect(fake.unfinished.size).toBe(0);
    await expect(complete()).rejects.toMatchObject({ name: "NoSuchUpload" });
  });

  test("refuses parts that are too small, unequal, or without their checksum", async () => {
    await expect((await begin(["123", "123"])).complete()).rejects.toMatchObject({ name: "EntityTooSmall" });
    await expect((await begin(["12345", "1234", "1"])).complete()).rejects.toMatchObject({
      name: "InvalidPart",
    });
    await expect((await begin(["12345", "123456"])).complete()).rejects.toMatchObject({
      name: "InvalidPart",
    });
    await expect(begin(["12345"], "CRC32")).rejects.toMatchObject({ name: "InvalidRequest" });
  });

  test("refuses bytes that are not what was said about them", async () => {
    let wrong = new PutObjectCommand({ ...at("x"), Body: hello, ChecksumCRC32: "AAAAAA==" });
    await expect(client.send(wrong)).rejects.toMatchObject({ name: "BadDigest" });
    let right = new PutObjectCommand({ ...at("x"), Body: hello, ChecksumCRC32: "NhCmhg==" });
    await client.send(right);
    let missing = new PutObjectCommand({ Bucket: "other", Key: "x", Body: hello });
    await expect(client.send(missing)).rejects.toMatchObject({ name: "NoSuchBucket" });
  });

  let faults: [Fault, { done: boolean; thrown: object }][] = [
    [slowDown, { done: false, thrown: { name: "SlowDown" } }],
    [accessDenied, { done: false, thrown: { name: "AccessDenied" } }],
    [{ kind: "resetBefore" }, { done: false, thrown: { code: "ECONNRESET" } }],
    [{ kind: "lostAnswer" }, { done: true, thrown: { code: "ECONNRESET" } }],
  ];
  for (let [fault, { done, thrown }] of faults) {
    test(`${fault.kind === "status" ? fault.code : fault.kind} is ${done ? "done" : "not done"} and fails once, when told`, async () => {
      fake.script.fail("PutObject", fault, { skip: 1 });
      await put("first");
      await expect(put("second")).rejects.toMatchObject(thrown);
      expect(fake.objects.has("second")).toBe(done);
      await put("third");
      expect(fake.calls.map((call) => call.fault)).toEqual([null, fault.kind, null]);
    });
  }

  test("can answer Complete with 200 and an error", async () => {
    let { complete } = await begin(["12345", "1"]);
    fake.script.fail("CompleteMultipartUpload", { kind: "errorIn200", code: "InternalError" });
    await expect(complete()).rejects.toMatchObject({ name: "InternalError" });
    expect(fake.unfinished.size).toBe(1);
    await complete();
  });

  test("can stall, delay and cut an answer short", async () => {
    await put("x");
    fake.script.fail("GetObject", { kind: "truncate" });
    await expect(get().then((output) => output.Body?.transformToString())).rejects.toThrow();
    fake.script.fail("GetObject", { kind: "stall" });
    await expect(get(AbortSignal.timeout(50))).rejects.toThrow();
    fake.script.fail("GetObject", { kind: "delay", ms: 50 });
    let startedMs = performance.now();
    await get();
    expect(performance.now() - startedMs).toBeGreaterThan(45);
  });

  test("fails at random alike for the same seed, until healed", async () => {
    let run = async (): Promise<(string | null)[]> => {
      fake.calls.length = 0;
      fake.script.failRandomly(7, 0.5, [slowDown]);
      for (let i = 0; i < 12; i++) await put("x").catch(() => {});
      return fake.calls.map((call) => call.fault);
    };
    let first = await run();
    expect(first).toContain("status");
    expect(first).toContain(null);
    expect(await run()).toEqual(first);
    fake.script.heal();
    for (let i = 0; i < 12; i++) await put("x");
  });
});
