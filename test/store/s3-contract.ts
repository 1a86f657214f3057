import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createByteBudget } from "../../src/byte-budget.ts";
import { AppError } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { createSpool } from "../../src/spool.ts";
import { createS3Storage } from "../../src/store/s3/s3-storage.ts";
import type { S3StorageOptions } from "../../src/store/s3/s3-storage.ts";
import type { Storage } from "../../src/store/storage.ts";
import { MIB } from "../../src/units.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { bytesOf, putRequest, sha256Of } from "./bodies.ts";
import { smallestPartBytes, storageContract } from "./storage-contract.ts";

const budgetBytes = 128 * MIB;
/** An address that refuses connections: nobody listens on the discard port of loopback. */
const deadEndpoint = "http://127.0.0.1:9";
/** Tries with back-off are wanted, but somebody is waiting for the answer. */
const unreachableLimitMs = 30_000;
const slowMs = 60_000;

export interface S3UnderTest {
  storage: Storage;
  /** The same storage with other options. */
  with(options: Partial<S3StorageOptions>): Storage;
  server: S3Server;
  close(): Promise<void>;
}

/** Starts a server and a storage on it. */
export async function startS3(start: () => Promise<S3Server>): Promise<S3UnderTest> {
  let folder = await mkdtemp(join(tmpdir(), "s3-uploads-spool-"));
  let server = await start();
  let options: S3StorageOptions = {
    bucket: server.bucket,
    prefix: "contract/",
    region: server.region,
    endpointUrl: server.endpointUrl,
    forcePathStyle: true,
    credentials: server.credentials,
    partBytes: smallestPartBytes,
    copyBytes: smallestPartBytes,
    budget: createByteBudget(budgetBytes),
    spool: createSpool(join(folder, "spool")),
    log: silentLog,
  };
  return {
    storage: createS3Storage(options),
    with: (other) => createS3Storage({ ...options, ...other }),
    server,
    async close() {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

let newKey = (): string => `contract/${Bun.randomUUIDv7()}.jpg`;

/** What S3 storage does on a real server: the contract of every storage, and what only S3 has. */
export function s3Contract(name: string, start: () => Promise<S3Server>, manyObjects: number): void {
  storageContract(`S3 storage on ${name}`, async () => {
    let { storage, server, close } = await startS3(start);
    let countUnfinished = async (): Promise<number> => (await server.unfinishedUploads()).length;
    return { storage, partBytes: smallestPartBytes, manyObjects, countUnfinished, close };
  });

  describe(`S3 storage on ${name}, beyond the contract`, () => {
    let s3: S3UnderTest;
    beforeAll(async () => {
      s3 = await startS3(start);
    });
    afterAll(() => s3.close());

    test("a presigned URL gives the object to anybody, under the name and type that were asked for", async () => {
      let key = newKey();
      let bytes = bytesOf(100_000);
      await s3.storage.put(putRequest(key, bytes, { contentType: "image/jpeg" }));
      let contentDisposition = `attachment; filename="photo.jpg"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%F0%9F%8E%89.jpg`;
      let asked = { expiresSeconds: 60, contentType: "image/png", contentDisposition };
      let url = await s3.storage.presign(key, asked);

      let response = await fetch(url ?? "");
      expect(response.status).toBe(200);
      if (s3.server.honoursResponseHeaders) {
        expect(response.headers.get("content-disposition")).toBe(contentDisposition);
        expect(response.headers.get("content-type")).toBe("image/png");
      }
      expect(sha256Of(await response.bytes())).toBe(sha256Of(bytes));
      let part = await fetch(url ?? "", { headers: { range: "bytes=10-19" } });
      expect(part.status).toBe(206);
      expect(await part.bytes()).toEqual(bytes.slice(10, 20));
      let forged = await fetch((url ?? "").replace(key, newKey()));
      expect(forged.status).toBe(403);
    });

    test("the small object carries its digest as metadata", async () => {
      let key = newKey();
      await s3.storage.put(putRequest(key, bytesOf(10)));
      expect((await s3.storage.head(key))?.userMetadata?.["sha256"]).toBe(sha256Of(bytesOf(10)));
    });

    let wrongs: [string, () => Partial<S3StorageOptions>, RegExp][] = [
      ["a bucket that is not there", () => ({ bucket: "no-such-bucket" }), /no-such-bucket/],
      [
        "a wrong secret",
        () => ({ credentials: { ...s3.server.credentials, secretAccessKey: "wrong" } }),
        /secret/i,
      ],
      [
        "an unknown access key",
        () => ({ credentials: { ...s3.server.credentials, accessKeyId: "UNKNOWN" } }),
        /access.?key/i,
      ],
    ];
    for (let [wrong, options, sentence] of wrongs) {
      test(`${wrong} is a definite no that says what to change, for every call`, async () => {
        let storage = s3.with(options());
        let key = newKey();
        let refused = { code: "storage_error", message: expect.stringMatching(sentence) };
        await expect(storage.probe()).rejects.toMatchObject(refused);
        await expect(storage.put(putRequest(key, bytesOf(10)))).rejects.toMatchObject(refused);
        await expect(storage.put(putRequest(key, bytesOf(smallestPartBytes + 1)))).rejects.toMatchObject(
          refused,
        );
        await expect(storage.open(key)).rejects.toMatchObject(refused);
        await expect(storage.delete(key)).rejects.toMatchObject(refused);
        await expect(Array.fromAsync(storage.list("contract/"))).rejects.toMatchObject(refused);
      });

      test(`${wrong} is never taken for a missing object`, async () => {
        await expect(s3.with(options()).head(newKey())).rejects.toMatchObject({ code: "storage_error" });
      });
    }

    test(
      "an address that nobody answers is told as such, soon",
      async () => {
        let storage = s3.with({ endpointUrl: deadEndpoint });
        let startedMs = performance.now();
        await expect(storage.probe()).rejects.toMatchObject({
          code: "storage_unavailable",
          message: expect.stringContaining("127.0.0.1:9"),
        });
        expect(performance.now() - startedMs).toBeLessThan(5_000);
        await expect(storage.head(newKey())).rejects.toMatchObject({ code: "storage_unavailable" });
        expect(performance.now() - startedMs).toBeLessThan(unreachableLimitMs);
      },
      slowMs,
    );

    test(
      "unfinished uploads are listed and can be aborted",
      async () => {
        let { storage, server } = s3;
        if (!server.canListUnfinished) return;
        let key = newKey();
        let seen: string[] = [];
        let onMultipartCreated = async (uploadId: string): Promise<void> => {
          for await (let upload of storage.listUnfinished("contract/")) {
            if (upload.uploadId === uploadId) seen.push(upload.key);
          }
          await storage.abortMultipart(key, uploadId);
        };
        let request = putRequest(key, bytesOf(2 * smallestPartBytes), { onMultipartCreated });
        await expect(storage.put(request)).rejects.toThrow(AppError);
        expect(seen).toEqual([key]);
        expect(await Array.fromAsync(storage.listUnfinished("contract/"))).toEqual([]);
        expect(await server.unfinishedUploads()).toEqual([]);
      },
      slowMs,
    );
  });
}
