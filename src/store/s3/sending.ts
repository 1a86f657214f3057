import type { S3Client } from "@aws-sdk/client-s3";

import type { ByteBudget } from "../../byte-budget.ts";
import { AppError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Spool } from "../../spool.ts";
import { MIB, SECOND_MS } from "../../units.ts";
import type { ObjectInfo, ObjectToMake, PutRequest, UnfinishedUpload } from "../storage.ts";
import type { Action } from "./explain.ts";
import type { SendBytes } from "./send-bytes.ts";

/** Calls that carry bytes are worth many tries: the sender's bytes can't be asked for again. */
export const dataAttempts = 8;
/**
 * What the call that makes the object gets to end in when its sender goes away: cut off, it might make the object after the
 * undo has looked for it. A server that is asked to end has not much longer itself.
 */
export const lastCallGraceMs = 2 * SECOND_MS;
/** What the sender of a put that has failed waits for its undoing; the rest is done after the answer. */
export const undoPatienceMs = 5 * SECOND_MS;
/** Bytes for which a slow bucket gets as much time again as for a call without any: 70 kB/s with a minute. */
const bytesPerSilence = 4 * MIB;

/** See RetryOptions; all tries together get the time of one and one more `silenceMs`. */
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
  /** For the calls that carry a file's bytes; the client is for all others. */
  sendBytes: SendBytes;
  bucket: string;
  storageClass?: string | undefined;
  serverSideEncryption?: string | undefined;
  kmsKeyId?: string | undefined;
  partBytes?: number | undefined;
  /** After so long without an answer a call counts as lost. */
  silenceMs: number;
  budget: ByteBudget;
  spool: Spool;
  log: Log;
  call: Call;
  head(key: string): Promise<ObjectInfo | null>;
  delete(key: string): Promise<void>;
  abortMultipart(key: string, uploadId: string): Promise<void>;
  listUnfinished(prefix: string): AsyncIterable<UnfinishedUpload>;
}

/** The silence that is put up with, and more for parts so large that a slow bucket needs it. */
export function dataTimeoutMs(bytes: number, { silenceMs }: Pick<Sending, "silenceMs">): number {
  return silenceMs * (1 + bytes / bytesPerSilence);
}

/** What was stored has a tag, everywhere. A 200 without one comes from something that is not the storage, or has failed. */
export function demandTag(output: { ETag?: string | undefined }): void {
  if (output.ETag) return;
  throw new AppError(
    "storage_unavailable",
    "S3 answered 200 without an ETag: nobody knows what it has stored",
  );
}

/** What PutObject and CreateMultipartUpload say alike about the object. */
export function objectInput(
  object: Pick<ObjectToMake, "key" | "contentType" | "userMetadata">,
  sending: Pick<Sending, "bucket" | "storageClass" | "serverSideEncryption" | "kmsKeyId">,
) {
  return {
    Bucket: sending.bucket,
    Key: object.key,
    ContentType: object.contentType,
    Metadata: object.userMetadata,
    ...keptAs(sending),
  };
}

/** How the bucket is to keep an object; a copy does not take it over from its source. */
export function keptAs(sending: Pick<Sending, "storageClass" | "serverSideEncryption" | "kmsKeyId">) {
  return {
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
