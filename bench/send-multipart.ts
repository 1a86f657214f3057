/**
 * Sends a file straight to the bucket: argv is `sdk`, `fetch` or `memory`, the bucket as JSON, the file and its size.
 * `sdk` is the AWS SDK as it comes; `fetch` puts parts to presigned addresses; `memory` is `fetch` with one part's
 * bytes that are read once. Prints `ready`, waits for a line, sends, prints `done`, and stays to be measured.
 */
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

import type { Bucket } from "./children.ts";

const partBytes = 8 * 1024 * 1024;
const partsInFlight = 2;

let [way, bucketJson = "", path = "", size = ""] = process.argv.slice(2);
let { bucket: Bucket, endpointUrl: endpoint, region, credentials } = JSON.parse(bucketJson) as Bucket;
let sizeBytes = Number(size);
let file = Bun.file(path);
let firstPart = await file.slice(0, partBytes).bytes();
let client = new S3Client({
  endpoint,
  region,
  credentials,
  forcePathStyle: true,
  ...(way === "sdk" ? {} : { requestChecksumCalculation: "WHEN_REQUIRED" as const }),
});

async function putPart(place: { Bucket: string; Key: string; UploadId: string; PartNumber: number }) {
  let offset = (place.PartNumber - 1) * partBytes;
  let end = Math.min(offset + partBytes, sizeBytes);
  let body = way === "memory" ? firstPart.subarray(0, end - offset) : await file.slice(offset, end).bytes();
  if (way === "sdk") {
    let { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand({ ...place, Body: body }));
    return { PartNumber: place.PartNumber, ETag, ChecksumCRC32 };
  }
  let url = await getSignedUrl(client, new UploadPartCommand(place));
  let response = await fetch(url, { method: "PUT", body });
  if (!response.ok) throw new Error(`UploadPart: ${response.status} ${await response.text()}`);
  return { PartNumber: place.PartNumber, ETag: response.headers.get("etag") ?? "" };
}

// A server may refuse to complete with checksums that it was not told of when the upload began.
let checksum = way === "sdk" ? { ChecksumAlgorithm: "CRC32" as const } : {};

async function send(): Promise<void> {
  let Key = `bench/${crypto.randomUUID()}`;
  let { UploadId = "" } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...checksum }));
  let count = Math.ceil(sizeBytes / partBytes);
  let parts: Awaited<ReturnType<typeof putPart>>[] = [];
  let next = 1;
  async function worker() {
    while (next <= count) {
      let PartNumber = next++;
      parts[PartNumber - 1] = await putPart({ Bucket, Key, UploadId, PartNumber });
    }
  }
  await Promise.all(Array.from({ length: partsInFlight }, worker));
  await client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }),
  );
}

console.log("ready");
for await (let line of console) {
  if (line !== "send") continue;
  await send();
  console.log("done");
}
