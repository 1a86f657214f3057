import type { S3Client } from "@aws-sdk/client-s3";

import type { ByteBudget } from "../../byte-budget.ts";
import type { Log } from "../../log.ts";
import type { Spool } from "../../spool.ts";
import { KIB, MINUTE_MS, SECOND_MS } from "../../units.ts";
import type { ObjectInfo, PutRequest, UnfinishedUpload } from "../storage.ts";
import type { Action } from "./explain.ts";

/** Calls that carry bytes are worth many tries: the sender's bytes can't be asked for again. */
export const dataAttempts = 8;
/** What a bucket must manage, at worst, before a try is given up. */
const slowestBucketBytesPerSecond = 64 * KIB;

/** Retries, limits and explains one call. */
export type Call = <T>(
  action: Action,
  send: (signal: AbortSignal) => Promise<T>,
  limits?: { attempts?: number; timeoutMs?: number; signal?: AbortSignal | undefined },
) => Promise<T>;

/** What a put needs of its storage. */
export interface Sending {
  client: S3Client;
  bucket: string;
  storageClass?: string | undefined;
  serverSideEncryption?: string | undefined;
  kmsKeyId?: string | undefined;
  partBytes?: number | undefined;
  budget: ByteBudget;
  spool: Spool;
  log: Log;
  call: Call;
  head(key: string): Promise<ObjectInfo | null>;
  abortMultipart(key: string, uploadId: string): Promise<void>;
  listUnfinished(prefix: string): AsyncIterable<UnfinishedUpload>;
}

/** One minute, and more for parts so large that a slow bucket needs it. */
export function dataTimeoutMs(bytes: number): number {
  return MINUTE_MS + (bytes / slowestBucketBytesPerSecond) * SECOND_MS;
}

/** What PutObject and CreateMultipartUpload say alike about the object. */
export function objectInput(request: PutRequest, sending: Sending) {
  return {
    Bucket: sending.bucket,
    Key: request.key,
    ContentType: request.contentType,
    Metadata: request.userMetadata,
    ...(sending.storageClass ? { StorageClass: sending.storageClass as "STANDARD" } : {}),
    ...(sending.serverSideEncryption
      ? { ServerSideEncryption: sending.serverSideEncryption as "AES256" }
      : {}),
    ...(sending.kmsKeyId ? { SSEKMSKeyId: sending.kmsKeyId } : {}),
  };
}
