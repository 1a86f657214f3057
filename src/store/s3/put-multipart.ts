import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

import { AppError, toAppError } from "../../errors.ts";
import type { PutRequest } from "../storage.ts";
import type { Part } from "./assemble-parts.ts";
import { type Checksums, crc32Base64, withChecksumFallback } from "./checksums.ts";
import { asBody, signWithPayloadHash } from "./client.ts";
import { faultOf } from "./retry.ts";
import {
  dataAttempts,
  dataTimeoutMs,
  demandTag,
  lastCallGraceMs,
  objectInput,
  orSoon,
  type Sending,
  takeBackIfAborted,
} from "./sending.ts";
import { isShortcoming } from "./shortcomings.ts";

/** R2 answers 500 to more (measured by Litestream in 2026). */
const partsInFlight = 2;
/** S3 may take minutes to put an object together that has thousands of parts. */
const completeMsPerPart = 50;

interface SentPart {
  PartNumber: number;
  ETag?: string | undefined;
  ChecksumCRC32?: string;
}

export interface MultipartPut {
  first: Part;
  rest: AsyncIterable<Part>;
  request: PutRequest;
  sending: Sending;
  checksums: Checksums;
  /** Aborted here when something fails; `signal` hears it, and the request's own signal. */
  failure: AbortController;
  signal: AbortSignal;
}

/**
 * Create, parts (a few in flight, each with its CRC32), Complete; Abort on any failure. Rejects as Storage.put does.
 */
export async function putMultipart(put: MultipartPut): Promise<{ sizeBytes: number }> {
  let { first, rest, request, sending, checksums, failure, signal } = put;
  let { bucket, client, call, log } = sending;
  let { key } = request;
  let inFlight = new Set<Promise<void>>();
  let sent: SentPart[] = [];
  let sizeBytes = 0;
  let createTries = 0;
  let withChecksums = false;
  let uploadId: string | undefined;

  function create(): Promise<string> {
    return withChecksumFallback(checksums, log, () =>
      call(
        "put",
        async (abortSignal) => {
          createTries++;
          withChecksums = checksums.accepted;
          let checksum = withChecksums ? { ChecksumAlgorithm: "CRC32" as const } : {};
          let command = new CreateMultipartUploadCommand({ ...objectInput(request, sending), ...checksum });
          let { UploadId } = await client.send(command, { abortSignal });
          if (UploadId) return UploadId;
          throw new AppError("storage_unavailable", "S3 gave no id for a multipart upload");
        },
        { attempts: dataAttempts, timeoutMs: sending.silenceMs, signal },
      ),
    );
  }

  async function sendPart(part: Part): Promise<void> {
    let checksum = withChecksums ? { ChecksumCRC32: crc32Base64(part.bytes.blocks) } : {};
    let output = await call(
      "put",
      async (abortSignal) => {
        let target = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: part.number };
        let command = new UploadPartCommand({ ...target, Body: asBody(part.bytes), ...checksum });
        signWithPayloadHash(command, "UNSIGNED-PAYLOAD");
        let answer = await client.send(command, { abortSignal });
        demandTag(answer);
        return answer;
      },
      { attempts: dataAttempts, timeoutMs: dataTimeoutMs(part.bytes.byteLength, sending), signal },
    );
    sent.push({ PartNumber: part.number, ETag: output.ETag, ...checksum });
  }

  async function launch(part: Part): Promise<void> {
    while (inFlight.size >= partsInFlight) await Promise.race(inFlight);
    let onItsWay = sendPart(part)
      .catch((error: unknown) => failure.abort(error))
      .finally(() => {
        part.release();
        inFlight.delete(onItsWay);
      });
    sizeBytes += part.bytes.byteLength;
    inFlight.add(onItsWay);
  }

  async function complete(): Promise<void> {
    let Parts = sent.toSorted((a, b) => a.PartNumber - b.PartNumber);
    let command = { Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts } };
    try {
      await call(
        "put",
        async (abortSignal) =>
          demandTag(await client.send(new CompleteMultipartUploadCommand(command), { abortSignal })),
        {
          attempts: dataAttempts,
          timeoutMs: sending.silenceMs + Parts.length * completeMsPerPart,
          signal,
          graceMs: lastCallGraceMs,
        },
      );
    } catch (error) {
      // A lost answer and its retry look like a failure; the key is used once, so the object itself is the proof.
      if (request.signal.aborted || !(await isThere(error))) throw error;
      log.warn({ key, reason: (error as Error).message }, "Complete failed, but the object is there");
    }
  }

  /** Rejects when nobody can tell: a definite no to Complete is none as long as the object can't be looked for. */
  async function isThere(denial: unknown): Promise<boolean> {
    try {
      return (await sending.head(key))?.sizeBytes === sizeBytes;
    } catch (error) {
      throw toAppError(denial).code === "storage_unavailable" ? denial : error;
    }
  }

  /** A Create whose answer was lost has made an upload that nobody knows. */
  async function abortStrays(): Promise<void> {
    for await (let upload of sending.listUnfinished(key)) {
      if (upload.key === key) await sending.abortMultipart(key, upload.uploadId);
    }
  }

  async function undo(): Promise<void> {
    failure.abort(new AppError("internal_error", "another part of the upload has failed"));
    await Promise.allSettled(inFlight);
    if (uploadId) await sending.abortMultipart(key, uploadId);
  }

  function left(error: unknown): void {
    // Said once for all uploads.
    let isKnown = error instanceof AppError && isShortcoming(faultOf(error.cause));
    log[isKnown ? "debug" : "warn"](
      { key, reason: String(error) },
      "an unfinished multipart upload may be left in the bucket",
    );
  }

  try {
    uploadId = await create();
    await request.onMultipartCreated(uploadId);
    await launch(first);
    for await (let part of rest) await launch(part);
    await Promise.all(inFlight);
    signal.throwIfAborted();
    await complete();
    await takeBackIfAborted(request, sending);
    return { sizeBytes };
  } catch (error) {
    await orSoon(undo(), left);
    first.release();
    throw error;
  } finally {
    if (createTries > 1 || !uploadId) await orSoon(abortStrays(), left);
  }
}
