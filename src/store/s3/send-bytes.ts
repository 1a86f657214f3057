import {
  GetObjectCommand,
  type PutObjectCommand,
  type S3Client,
  type UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { SignatureV4 } from "@smithy/signature-v4";

import { errorOf } from "./error-answer.ts";
import { escape, fetchTransport, type SdkResponse } from "./fetch-transport.ts";
import type { PartBytes } from "./part-buffer.ts";
import { createSendBySdk } from "./send-by-sdk.ts";

/** The part's CRC32 guards its bytes then. */
export const unsignedPayload = "UNSIGNED-PAYLOAD";

/**
 * Sends a command whose body is bytes. They are not hashed for the signature: it gets `payloadHash` as it is, the SHA-256 where
 * that is known anyway, else `unsignedPayload`. Rejects with what faultOf reads, as the SDK does.
 */
export type SendBytes = (
  command: PutObjectCommand | UploadPartCommand,
  payloadHash: string,
  signal: AbortSignal,
) => Promise<{ ETag?: string | undefined }>;

/** What our commands have beside bucket, key and body, as S3 wants it: in headers or in the query. */
const HEADERS: Record<string, string> = {
  ContentType: "content-type",
  StorageClass: "x-amz-storage-class",
  ServerSideEncryption: "x-amz-server-side-encryption",
  SSEKMSKeyId: "x-amz-server-side-encryption-aws-kms-key-id",
  ChecksumSHA256: "x-amz-checksum-sha256",
  ChecksumCRC32: "x-amz-checksum-crc32",
};
const QUERY: Record<string, string> = { UploadId: "uploadId", PartNumber: "partNumber" };

/** Where the objects of a bucket are, and who signs for it. */
interface Target {
  protocol: string;
  hostname: string;
  port?: number;
  host: string;
  /** What stands before the key. */
  path: string;
  signer: SignatureV4;
}

/**
 * The calls that each file needs, without the SDK's way of making a request, which is a quarter of what a small file costs
 * (docs/decisions/003-s3-data-path.md). The SDK still says where the bucket is, gives the credentials and signs.
 */
export function createSendBytes(client: S3Client, bucket: string): SendBytes {
  // Directory buckets, Outposts and access points to them want a session or another signature: the SDK knows how.
  if (/--(xa?|op)-s3$/.test(bucket) || bucket.startsWith("arn:")) return createSendBySdk(client);
  let target: Promise<Target> | null = null;

  /** What the SDK makes of the bucket's name, region and address is in every URL that it signs. */
  async function findTarget(): Promise<Target> {
    let key = "k";
    let signed = await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }));
    let { protocol, hostname, port, host, pathname, searchParams } = new URL(signed);
    // From its end: some servers give out access keys that have a slash.
    let [region = "", service = ""] = (searchParams.get("X-Amz-Credential") ?? "").split("/").slice(-3);
    let { credentials, sha256 } = client.config;
    let rules = { uriEscapePath: false, applyChecksum: false };
    return {
      protocol,
      hostname,
      ...(port ? { port: Number(port) } : {}),
      host,
      path: pathname.slice(0, -key.length),
      signer: new SignatureV4({ service, region, credentials, sha256, ...rules }),
    };
  }

  return async function sendBytes({ input }, payloadHash, signal) {
    target ??= findTarget().catch((error: unknown) => {
      target = null;
      throw error;
    });
    let { signer, path, host, ...address } = await target;
    let { Bucket: _bucket, Key: key = "", Body: body, ...facts } = input;
    let bytes = body as unknown as PartBytes;
    let { headers, query } = headersAndQuery(facts);
    let request = {
      ...address,
      method: "PUT",
      path: path + key.split("/").map(escape).join("/"),
      query,
      headers: {
        "content-type": "application/octet-stream",
        ...headers,
        host,
        "content-length": String(bytes.byteLength),
        "x-amz-content-sha256": payloadHash,
      },
    };
    let signingDate = new Date(Date.now() + client.config.systemClockOffset);
    let signed = await signer.sign(request, { signingDate });
    let { response } = await fetchTransport.handle({ ...signed, body: bytes }, { abortSignal: signal });
    if (response.statusCode === 200) {
      await endOf(response.body);
      return { ETag: response.headers["etag"] };
    }
    let error = await errorOf(response);
    if (error.name === "RequestTimeTooSkewed") goBy(response.headers["date"]);
    throw error;
  };

  /** As the SDK does: a later try is signed by the server's clock. */
  function goBy(date: string | undefined): void {
    let serverMs = Date.parse(date ?? "");
    if (!Number.isNaN(serverMs)) client.config.systemClockOffset = serverMs - Date.now();
  }
}

/** Unread, even an empty body would keep its connection from the next call. */
async function endOf(body: SdkResponse["body"]): Promise<void> {
  if (!(body instanceof Uint8Array)) await body.cancel();
}

/** The SDK asks a body for its `byteLength` and passes it on; fetchTransport knows what it is. */
export function asBody(bytes: PartBytes): Uint8Array {
  return bytes as unknown as Uint8Array;
}

function headersAndQuery(facts: Record<string, unknown>) {
  let headers: Record<string, string> = {};
  let query: Record<string, string> = {};
  for (let [name, value] of Object.entries(facts)) {
    if (name === "Metadata") {
      for (let [one, text] of Object.entries(value as Record<string, string>))
        headers[`x-amz-meta-${one}`] = text;
    } else if (HEADERS[name]) headers[HEADERS[name]] = String(value);
    else if (QUERY[name]) query[QUERY[name]] = String(value);
    else throw new TypeError(`nobody has said how ${name} is sent`);
  }
  return { headers, query };
}
