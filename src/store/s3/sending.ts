import type { S3Client } from "@aws-sdk/client-s3";

import type { ByteBudget } from "../../byte-budget.ts";
import type { Log } from "../../log.ts";
import type { Spool } from "../../spool.ts";
import { KIB, MINUTE_MS, SECOND_MS } from "../../units.ts";
import type { ObjectInfo, ObjectToMake, PutRequest, UnfinishedUpload } from "../storage.ts";
import type { Action } from "./explain.ts";

/** Calls that carry bytes are worth many tries: the sender's bytes can't be asked for again. */
export const dataAttempts = 8;
/**
 * What the call that makes the object gets to end in when its sender goes away: cut off, it might make the object after the
 * undo has looked for it. A server that is asked to end has not much longer itself.
 */
export const lastCallGraceMs = 2 * SECOND_MS;
/** What a bucket must manage, at worst, before a try is given up. */
const slowestBucketBytesPerSecond = 64 * KIB;

/** See RetryOptions. */
export interface CallLimits {
  attempts?: number;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
  graceMs?: number;
}

/** Retries, limits and explains one call. */
export type Call = <T>(
  action: Action,
  send: (signal: AbortSignal) => Promise<T>,
  limits?: CallLimits,
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
  delete(key: string): Promise<void>;
  abortMultipart(key: string, uploadId: string): Promise<void>;
  listUnfinished(prefix: string): AsyncIterable<UnfinishedUpload>;
}

/** One minute, and more for parts so large that a slow bucket needs it. */
export function dataTimeoutMs(bytes: number): number {
  return MINUTE_MS + (bytes / slowestBucketBytesPerSecond) * SECOND_MS;
}

/** What PutObject and CreateMultipartUpload say alike about the object. */
export function objectInput(object: ObjectToMake, sending: Sending) {
  return {
    Bucket: sending.bucket,
    Key: object.key,
    ContentType: object.contentType,
    Metadata: object.userMetadata,
    ...(sending.storageClass ? { StorageClass: sending.storageClass as "STANDARD" } : {}),
    ...(sending.serverSideEncryption
      ? { ServerSideEncryption: sending.serverSideEncryption as "AES256" }
      : {}),
    ...(sending.kmsKeyId ? { SSEKMSKeyId: sending.kmsKeyId } : {}),
  };
}

/** The sender went away while its object came to be: a put that rejects leaves nothing. */
export async function takeBackIfAborted({ key, signal }: PutRequest, sending: Sending): Promise<void> {
  if (!signal.aborted) return;
  await sending.delete(key);
  throw signal.reason;
}
