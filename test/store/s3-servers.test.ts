import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";

import { skipUnlessCi } from "../support/needs.ts";
import { startMiniflare } from "../support/s3-servers/miniflare.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";

const hello = new TextEncoder().encode("hello");
const wrongCrc32 = "AAAAAA==";
const sha256OfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** What the storage contract leans on: servers that refuse what they should refuse. */
function provingServer(name: string, start: () => Promise<S3Server>): void {
  describe(name, () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server.stop());

    let clientOf = (credentials = server.credentials) =>
      new S3Client({
        region: server.region,
        endpoint: server.endpointUrl,
        forcePathStyle: true,
        credentials,
        maxAttempts: 1,
        requestChecksumCalculation: "WHEN_REQUIRED",
      });
    let put = (key: string) => new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: hello });

    test("takes an object", async () => {
      await clientOf().send(put("taken"));
    });

    test("refuses a wrong secret", async () => {
      let wrong = clientOf({ ...server.credentials, secretAccessKey: "wrong" });
      await expect(wrong.send(put("x"))).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
    });

    test("shows unfinished multipart uploads past its S3 interface", async () => {
      let client = clientOf();
      let at = { Bucket: server.bucket, Key: "unfinished" };
      let { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
      expect((await server.unfinishedUploads()).map((upload) => upload.uploadId)).toEqual([UploadId ?? ""]);
      await client.send(new AbortMultipartUploadCommand({ ...at, UploadId }));
      expect(await server.unfinishedUploads()).toEqual([]);
    });

    test("refuses wrong checksums, or says that it does not look", async () => {
      let client = clientOf();
      let crc = put("crc");
      crc.input.ChecksumCRC32 = wrongCrc32;
      let sha = put("sha");
      sha.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers["x-amz-content-sha256"] =
            sha256OfNothing;
          return next(args);
        },
        { step: "build" },
      );
      if (!server.verifiesChecksums) return;
      await expect(client.send(crc)).rejects.toMatchObject({ name: "BadDigest" });
      await expect(client.send(sha)).rejects.toMatchObject({ name: "XAmzContentSHA256Mismatch" });
      for (let Key of ["crc", "sha"]) {
        await expect(client.send(new HeadObjectCommand({ Bucket: server.bucket, Key }))).rejects.toThrow();
      }
    });
  });
}

provingServer("miniflare", startMiniflare);
if (!skipUnlessCi(versitygwMissing())) provingServer("versitygw", startVersitygw);
