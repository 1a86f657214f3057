import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

import type { ByteBudget } from "../../byte-budget.ts";
import { AppError, isRefusal, toAppError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { StorageOutcome } from "../../metrics/metrics.ts";
import type { Spool } from "../../spool.ts";
import { MINUTE_MS, SECOND_MS } from "../../units.ts";
import type { ObjectInfo, Storage, UnfinishedUpload } from "../storage.ts";
import { createBlockPool } from "./block-pool.ts";
import { type ClientOptions, createS3Client } from "./client.ts";
import { type Action, explain, noS3, type Where } from "./explain.ts";
import { createMove } from "./move.ts";
import { createMultipartCalls } from "./multipart-calls.ts";
import { createPut, type PutDeps } from "./put.ts";
import { createResumablePuts } from "./resumable.ts";
import { faultOf, withRetry } from "./retry.ts";
import { createSendBytes, unsignedPayload } from "./send-bytes.ts";
import type { CallLimits, Sending } from "./sending.ts";
import { createShortcomings, isDenied } from "./shortcomings.ts";

/** Tries and seconds for calls that carry no file: somebody may be waiting. */
const controlAttempts = 5;
const maxControlTimeoutMs = 30 * SECOND_MS;
/** The probe's answer is wanted soon, and it is asked again. */
const probeAttempts = 2;
const maxProbeTimeoutMs = 10 * SECOND_MS;
/** What a server may say to an id that does not look like its own. */
const badRequestStatus = 400;
/** No upload has this id: nothing can come of a part that names it. */
const noUploadId = "s3-uploads-probe";

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
  /** For tests: the largest object that is copied in one call, and the parts of larger ones, in bytes. */
  copyBytes?: number | undefined;
  /** Hears of every call to the bucket. */
  onCall?: ((action: Action, outcome: StorageOutcome) => void) | undefined;
  budget: ByteBudget;
  spool: Spool;
  log: Log;
}

export function createS3Storage(options: S3StorageOptions): Storage {
  let { bucket, log, silenceMs = MINUTE_MS, onCall } = options;
  let controlTimeoutMs = Math.min(maxControlTimeoutMs, silenceMs);
  let client = createS3Client(options);
  let presigner = options.publicEndpointUrl
    ? createS3Client({ ...options, endpointUrl: options.publicEndpointUrl })
    : client;
  let where: Where = { bucket, region: options.region, endpointUrl: options.endpointUrl ?? null };
  let shortcomings = createShortcomings(where, log);

  async function call<T>(
    action: Action,
    send: (signal: AbortSignal) => Promise<T>,
    limits: CallLimits = {},
  ): Promise<T> {
    let { attempts = controlAttempts, timeoutMs = controlTimeoutMs, signal, graceMs } = limits;
    try {
      let done = await withRetry(send, {
        attempts,
        timeoutMs,
        totalMs: timeoutMs + Math.min(timeoutMs, silenceMs),
        signal,
        graceMs,
        onRetry(fault, attempt) {
          onCall?.(action, "retried");
          log.warn({ action, attempt, code: fault.code, status: fault.status }, "S3 retry");
        },
      });
      shortcomings.forget(action);
      onCall?.(action, "done");
      return done;
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      onCall?.(action, "failed");
      shortcomings.note(action, faultOf(error));
      throw explain(error, action, where);
    }
  }

  let sendBytes = createSendBytes(client, bucket);
  let sending: Sending = {
    ...options,
    silenceMs,
    client,
    sendBytes,
    call,
    head: (key) => storage.head(key),
    delete: (key) => storage.delete(key),
    abortMultipart: (key, uploadId) => storage.abortMultipart(key, uploadId),
    listUnfinished,
  };
  let { budget, spool } = options;
  let memory = { budget, spool, pool: createBlockPool(budget) };
  let checksums = { accepted: true };
  let puts: PutDeps = { sending, memory, checksums, calls: createMultipartCalls(sending, checksums) };

  let storage: Storage = {
    name: "s3",
    bucket,
    get shortcomings() {
      return shortcomings.sentences;
    },
    put: createPut(puts),
    resumable: createResumablePuts(puts, async (key, first, last, signal) => {
      return (await storage.open(key, { first, last }, signal)).body;
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
        userMetadata: output.Metadata ?? {},
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
        await proveMissing(key);
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

    move: createMove({
      ...options,
      client,
      call,
      head: (key) => storage.head(key),
      delete: (key) => storage.delete(key),
      abortMultipart: (key, uploadId) => storage.abortMultipart(key, uploadId),
    }),

    async *list(prefix, { startAfter } = {}): AsyncGenerator<ObjectInfo> {
      let token: string | undefined;
      do {
        let page = await listPage({
          Prefix: prefix,
          ...(token ? { ContinuationToken: token } : startAfter ? { StartAfter: startAfter } : {}),
        });
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
      let timeoutMs = Math.min(maxProbeTimeoutMs, silenceMs);
      let limits = { attempts: probeAttempts, timeoutMs, signal };
      try {
        await listPage({ Prefix: options.prefix, MaxKeys: 1 }, limits);
      } catch (error) {
        if (!(error instanceof AppError) || !isDenied(faultOf(error.cause))) throw error;
        await provePut(limits);
      }
    },
  };

  async function listPage(asked: Omit<ListObjectsV2CommandInput, "Bucket">, limits?: CallLimits) {
    let command = new ListObjectsV2Command({ Bucket: bucket, ...asked });
    let page = await call("list", (abortSignal) => client.send(command, { abortSignal }), limits);
    // Any web page is well-formed enough for the SDK, and would count as a bucket without objects.
    if ((page.Name ?? page.IsTruncated ?? page.KeyCount ?? page.MaxKeys) === undefined) throw noS3(where);
    return page;
  }

  /** Rejects unless the server says that this key is missing, and not the whole bucket. */
  async function proveMissing(key: string): Promise<void> {
    try {
      await listPage({ Prefix: key, MaxKeys: 1 });
    } catch (error) {
      if (!(error instanceof AppError) || !isDenied(faultOf(error.cause))) throw error;
      // Some servers tell even those who may not list; S3 itself says 403 to them.
      let found = await storage.open(key, { first: 0, last: 0 }).catch(toAppError);
      if (!(found instanceof AppError)) await found.body.cancel();
      if (!(found instanceof AppError) || found.code !== "gone") throw error;
    }
  }

  /**
   * Resolves when files may be put, which leaves nothing behind: S3 looks whether a part may be put before it looks for its
   * upload, of which there is none.
   */
  async function provePut(limits: CallLimits): Promise<void> {
    let key = `${options.prefix}${noUploadId}`;
    try {
      await call(
        "put",
        (abortSignal) => {
          let part = {
            Bucket: bucket,
            Key: key,
            UploadId: noUploadId,
            PartNumber: 1,
            Body: new Uint8Array(),
          };
          let command = new UploadPartCommand(part);
          return sendBytes(command, unsignedPayload, abortSignal);
        },
        limits,
      );
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      let { code, status } = faultOf(error.cause);
      if (code !== "NoSuchUpload" && status !== badRequestStatus) throw error;
    }
  }

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
