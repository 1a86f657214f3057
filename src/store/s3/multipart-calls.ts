import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

import { AppError, toAppError } from "../../errors.ts";
import { endsWithin } from "../../soon.ts";
import type { ObjectToMake, StoredPart } from "../storage.ts";
import { type Checksums, crc32Base64, withChecksumFallback } from "./checksums.ts";
import type { PartBytes } from "./part-buffer.ts";
import { asBody, unsignedPayload } from "./send-bytes.ts";
import {
  dataAttempts,
  dataTimeoutMs,
  demandTag,
  lastCallGraceMs,
  objectInput,
  type Sending,
  undoPatienceMs,
} from "./sending.ts";
import { tellLeft } from "./shortcomings.ts";

/** R2 answers 500 to more (measured by Litestream in 2026). */
export const partsInFlight = 2;
/** S3 may take minutes to put an object together that has thousands of parts. */
const completeMsPerPart = 50;

/** A multipart upload that is there. */
export interface Multipart {
  key: string;
  uploadId: string;
  /** Whether it was told of CRC32 when it was made: then each part carries one, and Complete repeats them. */
  withChecksums: boolean;
}

/** The calls of a multipart upload; each retries by itself, and rejects as Storage.put does. */
export interface MultipartCalls {
  /** `mayHaveStrays`: an answer was lost, and an upload that nobody knows may be there. */
  create(
    object: ObjectToMake,
    signal: AbortSignal,
  ): Promise<{ multipart: Multipart; mayHaveStrays: boolean }>;
  sendPart(multipart: Multipart, number: number, bytes: PartBytes, signal: AbortSignal): Promise<StoredPart>;
  /** @param parts in any order */
  complete(
    multipart: Multipart,
    parts: readonly StoredPart[],
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Ends every multipart upload of a key, but for one that is wanted. */
  abortAll(key: string, wanted?: string): Promise<void>;
}

export function createMultipartCalls(sending: Sending, checksums: Checksums): MultipartCalls {
  let { bucket, client, call, log } = sending;

  /** Rejects when nobody can tell: a definite no to Complete is none as long as the object can't be looked for. */
  async function isThere(key: string, sizeBytes: number, denial: unknown): Promise<boolean> {
    try {
      return (await sending.head(key))?.sizeBytes === sizeBytes;
    } catch (error) {
      throw toAppError(denial).code === "storage_unavailable" ? denial : error;
    }
  }

  async function abortAll(key: string, wanted?: string): Promise<void> {
    for await (let upload of sending.listUnfinished(key)) {
      if (upload.key === key && upload.uploadId !== wanted)
        await sending.abortMultipart(key, upload.uploadId);
    }
  }

  return {
    abortAll,

    async create(object, signal) {
      let tries = 0;
      let withChecksums = false;
      try {
        let uploadId = await withChecksumFallback(checksums, log, () =>
          call(
            "put",
            async (abortSignal) => {
              tries++;
              withChecksums = checksums.accepted;
              let checksum = withChecksums ? { ChecksumAlgorithm: "CRC32" as const } : {};
              let command = new CreateMultipartUploadCommand({
                ...objectInput(object, sending),
                ...checksum,
              });
              let { UploadId } = await client.send(command, { abortSignal });
              if (UploadId) return UploadId;
              throw new AppError("storage_unavailable", "S3 gave no id for a multipart upload");
            },
            { attempts: dataAttempts, timeoutMs: sending.silenceMs, signal },
          ),
        );
        return { multipart: { key: object.key, uploadId, withChecksums }, mayHaveStrays: tries > 1 };
      } catch (error) {
        await endsWithin(abortAll(object.key).catch(tellLeft(log, object.key)), undoPatienceMs);
        throw error;
      }
    },

    async sendPart({ key, uploadId, withChecksums }, number, bytes, signal) {
      let crc32 = withChecksums ? crc32Base64(bytes.blocks) : null;
      let output = await call(
        "put",
        async (abortSignal) => {
          let target = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number };
          let checksum = crc32 === null ? {} : { ChecksumCRC32: crc32 };
          let command = new UploadPartCommand({ ...target, Body: asBody(bytes), ...checksum });
          let answer = await sending.sendBytes(command, unsignedPayload, abortSignal);
          demandTag(answer);
          return answer;
        },
        { attempts: dataAttempts, timeoutMs: dataTimeoutMs(bytes.byteLength, sending), signal },
      );
      return { number, sizeBytes: bytes.byteLength, etag: output.ETag ?? null, crc32 };
    },

    async complete({ key, uploadId }, parts, sizeBytes, signal) {
      let Parts = parts
        .toSorted((a, b) => a.number - b.number)
        .map(({ number, etag, crc32 }) => ({
          PartNumber: number,
          ...(etag === null ? {} : { ETag: etag }),
          ...(crc32 === null ? {} : { ChecksumCRC32: crc32 }),
        }));
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
        if (signal.aborted || !(await isThere(key, sizeBytes, error))) throw error;
        log.warn({ key, reason: (error as Error).message }, "Complete failed, but the object is there");
      }
    },
  };
}
