import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

import type { ByteBudget } from "../../byte-budget.ts";
import { AppError, isRefusal, toAppError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Spool } from "../../spool.ts";
import { MINUTE_MS, SECOND_MS } from "../../units.ts";
import type { ObjectInfo, Storage, UnfinishedUpload } from "../storage.ts";
import { type ClientOptions, createS3Client } from "./client.ts";
import { type Action, explain, type Where } from "./explain.ts";
import { createPut } from "./put.ts";
import { faultOf, withRetry } from "./retry.ts";
import type { CallLimits } from "./sending.ts";

/** Tries and seconds for calls that carry no file: somebody may be waiting. */
const controlAttempts = 5;
const maxControlTimeoutMs = 30 * SECOND_MS;
/** The probe's answer is wanted soon, and it is asked again. */
const probeAttempts = 2;
const maxProbeTimeoutMs = 10 * SECOND_MS;

export interface S3StorageOptions extends ClientOptions {
  bucket: string;
  /** Where our objects are; the probe lists here. */
  prefix: string;
  /** How browsers reach the bucket, when not by `endpointUrl`. */
  publicEndpointUrl?: string | undefined;
  storageClass?: string | undefined;
  serverSideEncryption?: string | undefined;
  kmsKeyId?: string | undefined;
  /** After so long without an answer a call counts as lost; default one minute. */
  silenceMs?: number | undefined;
  /** For tests: parts of this size, in bytes, instead of what part-plan.ts says. */
  partBytes?: number | undefined;
  budget: ByteBudget;
  spool: Spool;
  log: Log;
}

export function createS3Storage(options: S3StorageOptions): Storage {
  let { bucket, log, silenceMs = MINUTE_MS } = options;
  let controlTimeoutMs = Math.min(maxControlTimeoutMs, silenceMs);
  let client = createS3Client(options);
  let presigner = options.publicEndpointUrl
    ? createS3Client({ ...options, endpointUrl: options.publicEndpointUrl })
    : client;
  let where: Where = { bucket, region: options.region, endpointUrl: options.endpointUrl ?? null };

  async function call<T>(
    action: Action,
    send: (signal: AbortSignal) => Promise<T>,
    limits: CallLimits = {},
  ): Promise<T> {
    let { attempts = controlAttempts, timeoutMs = controlTimeoutMs, signal, graceMs } = limits;
    try {
      return await withRetry(send, {
        attempts,
        timeoutMs,
        totalMs: timeoutMs + Math.min(timeoutMs, silenceMs),
        signal,
        graceMs,
        onRetry: (fault, attempt) =>
          log.warn({ action, attempt, code: fault.code, status: fault.status }, "S3 retry"),
      });
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      throw explain(error, action, where);
    }
  }

  let storage: Storage = {
    name: "s3",
    bucket,
    put: createPut({
      ...options,
      silenceMs,
      client,
      call,
      head: (key) => storage.head(key),
      delete: (key) => storage.delete(key),
      abortMultipart: (key, uploadId) => storage.abortMultipart(key, uploadId),
      listUnfinished,
    }),

    async open(key, range, signal) {
      let output = await call(
        "get",
        (abortSignal) =>
          client.send(
            new GetObjectCommand({
              Bucket: bucket,
              Key: key,
              ...(range ? { Range: `bytes=${range.first}-${range.last}` } : {}),
            }),
            // The time-out is over with the headers; the caller may go away as long as the body is being read.
            { abortSignal: signal ? AbortSignal.any([abortSignal, signal]) : abortSignal },
          ),
        { signal },
      );
      let total = /\/(\d+)$/.exec(output.ContentRange ?? "")?.[1];
      return {
        body: output.Body as unknown as ReadableStream<Uint8Array>,
        sizeBytes: total === undefined ? (output.ContentLength ?? 0) : Number(total),
      };
    },

    async head(key) {
      try {
        let output = await call("get", (abortSignal) =>
          client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal }),
        );
        return {
          key,
          sizeBytes: output.ContentLength ?? 0,
          lastModifiedMs: output.LastModified?.getTime() ?? 0,
          userMetadata: output.Metadata ?? {},
          ...(output.ContentType ? { contentType: output.ContentType } : {}),
        };
      } catch (error) {
        if (!(error instanceof AppError) || faultOf(error.cause).status !== 404) throw error;
        // HEAD has no body to tell a missing object from a missing bucket or an unknown key: a list does.
        await call("list", (abortSignal) =>
          client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }), { abortSignal }),
        );
        return null;
      }
    },

    async delete(key) {
      let tries = 0;
      try {
        await call("delete", (abortSignal) => {
          tries++;
          return client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal });
        });
      } catch (error) {
        // An earlier try whose answer was lost may have removed it: also one that is not counted here, since Bun's fetch
        // sends a DELETE again by itself when a connection that was kept breaks.
        if (!isRefusal(error) || (await isThere(key, tries === 1 ? error : null))) throw error;
      }
    },

    async *list(prefix, { startAfter } = {}): AsyncGenerator<ObjectInfo> {
      let token: string | undefined;
      do {
        let page = await call("list", (abortSignal) =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              ...(token ? { ContinuationToken: token } : startAfter ? { StartAfter: startAfter } : {}),
            }),
            { abortSignal },
          ),
        );
        for (let object of page.Contents ?? []) {
          yield {
            key: object.Key!,
            sizeBytes: object.Size ?? 0,
            lastModifiedMs: object.LastModified?.getTime() ?? 0,
          };
        }
        token = page.NextContinuationToken;
      } while (token);
    },

    presign(key, { expiresSeconds, contentType, contentDisposition }) {
      let command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ResponseContentType: contentType,
        ResponseContentDisposition: contentDisposition,
      });
      return getSignedUrl(presigner, command, { expiresIn: expiresSeconds });
    },

    async abortMultipart(key, uploadId) {
      try {
        await call("abort", (abortSignal) =>
          client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }), {
            abortSignal,
          }),
        );
      } catch (error) {
        if (error instanceof AppError && faultOf(error.cause).code === "NoSuchUpload") return;
        throw error;
      }
    },

    listUnfinished,

    async probe(signal) {
      await call(
        "list",
        (abortSignal) =>
          client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: options.prefix, MaxKeys: 1 }), {
            abortSignal,
          }),
        { attempts: probeAttempts, timeoutMs: Math.min(maxProbeTimeoutMs, silenceMs), signal },
      );
    },
  };

  /**
   * Rejects with `storage_unavailable` when nobody can tell.
   * @param refusal to be believed where looking is refused as well
   */
  async function isThere(key: string, refusal: unknown): Promise<boolean> {
    try {
      return (await storage.head(key)) !== null;
    } catch (error) {
      if (refusal && isRefusal(error)) throw refusal;
      throw new AppError("storage_unavailable", toAppError(error).message, { cause: error });
    }
  }

  async function* listUnfinished(prefix: string): AsyncGenerator<UnfinishedUpload> {
    let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      let page = await call("list uploads", (abortSignal) =>
        client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers }), {
          abortSignal,
        }),
      );
      for (let upload of page.Uploads ?? []) {
        yield {
          key: upload.Key!,
          uploadId: upload.UploadId!,
          initiatedAtMs: upload.Initiated?.getTime() ?? 0,
        };
      }
      if (!page.IsTruncated || !page.NextKeyMarker) return;
      markers = { KeyMarker: page.NextKeyMarker };
      if (page.NextUploadIdMarker) markers.UploadIdMarker = page.NextUploadIdMarker;
    }
  }

  return storage;
}
