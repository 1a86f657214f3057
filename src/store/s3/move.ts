import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";

import { AppError } from "../../errors.ts";
import { GIB, MINUTE_MS } from "../../units.ts";
import type { ObjectInfo, Storage } from "../storage.ts";
import { keptAs, objectInput, type Sending } from "./sending.ts";

/** S3 copies no more in one call, and a part of this size takes 5 TiB in 1,024 parts. */
const maxCopyBytes = 5 * GIB;
/** The bytes stay in the bucket's house, but S3 answers only when it has copied them. */
const copyTimeoutMs = 10 * MINUTE_MS;
const partsInFlight = 2;

export type Moving = Pick<
  Sending,
  "client" | "bucket" | "call" | "head" | "delete" | "abortMultipart" | "log"
> &
  Pick<Sending, "storageClass" | "serverSideEncryption" | "kmsKeyId"> & { copyBytes?: number | undefined };

/** Copy, look at the copy, delete: S3 has no renaming. */
export function createMove(moving: Moving): Storage["move"] {
  let { client, bucket, call, head, log, copyBytes = maxCopyBytes } = moving;

  async function copyWhole(from: string, to: string): Promise<void> {
    let input = { Bucket: bucket, Key: to, CopySource: sourceOf(bucket, from), ...keptAs(moving) };
    await call("copy", (abortSignal) => client.send(new CopyObjectCommand(input), { abortSignal }), {
      timeoutMs: copyTimeoutMs,
    });
  }

  /** Parts of one size but the last, which R2 demands. */
  async function copyInParts(from: ObjectInfo, to: string): Promise<void> {
    let described = {
      key: to,
      contentType: from.contentType ?? "application/octet-stream",
      userMetadata: from.userMetadata ?? {},
    };
    // No second try: each would leave an upload whose id nobody knows.
    let created = await call(
      "copy",
      (abortSignal) =>
        client.send(new CreateMultipartUploadCommand(objectInput(described, moving)), { abortSignal }),
      { attempts: 1 },
    );
    let uploadId = created.UploadId ?? "";
    let completing = false;
    try {
      let Parts = await copyParts(from, to, uploadId);
      completing = true;
      let command = { Bucket: bucket, Key: to, UploadId: uploadId, MultipartUpload: { Parts } };
      await call(
        "copy",
        (abortSignal) => client.send(new CompleteMultipartUploadCommand(command), { abortSignal }),
        { timeoutMs: copyTimeoutMs },
      );
    } catch (error) {
      // Complete may have worked although its answer was lost: the copy itself tells.
      let copied = completing ? await head(to).catch(() => null) : null;
      if (copied?.sizeBytes === from.sizeBytes) return;
      await moving.abortMultipart(to, uploadId).catch((reason: unknown) => {
        log.warn({ key: to, reason: String(reason) }, "an unfinished copy may be left in the bucket");
      });
      throw error;
    }
  }

  async function copyParts(from: ObjectInfo, to: string, uploadId: string) {
    let count = Math.ceil(from.sizeBytes / copyBytes);
    let numbers = Array.from({ length: count }, (_, i) => i + 1).values();
    let copied: { PartNumber: number; ETag?: string | undefined }[] = [];
    let work = async (): Promise<void> => {
      for (let PartNumber of numbers) {
        let first = (PartNumber - 1) * copyBytes;
        let last = Math.min(first + copyBytes, from.sizeBytes) - 1;
        let input = {
          Bucket: bucket,
          Key: to,
          UploadId: uploadId,
          PartNumber,
          CopySource: sourceOf(bucket, from.key),
          CopySourceRange: `bytes=${first}-${last}`,
        };
        let output = await call(
          "copy",
          (abortSignal) => client.send(new UploadPartCopyCommand(input), { abortSignal }),
          { timeoutMs: copyTimeoutMs },
        );
        copied.push({ PartNumber, ETag: output.CopyPartResult?.ETag });
      }
    };
    // All of them: an abort beside a part that is still being copied would leave that part.
    let ended = await Promise.allSettled(Array.from({ length: partsInFlight }, work));
    for (let one of ended) if (one.status === "rejected") throw one.reason;
    return copied.toSorted((a, b) => a.PartNumber - b.PartNumber);
  }

  return async function move(from, to) {
    let source = await head(from);
    if (!source) throw new AppError("gone", `There is no object ${from} to move.`);
    if (source.sizeBytes <= copyBytes) await copyWhole(from, to);
    else await copyInParts(source, to);
    let copy = await head(to);
    if (copy?.sizeBytes !== source.sizeBytes) {
      throw new AppError(
        "storage_error",
        `The bucket copied ${from} to ${to}, but has ${copy?.sizeBytes ?? "no"} bytes there instead of ${source.sizeBytes}: nothing was removed.`,
      );
    }
    await moving.delete(from);
  };
}

/** A header, so that only ASCII can be in it; the slashes stay. */
function sourceOf(bucket: string, key: string): string {
  return `${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
}
