import { PutObjectCommand } from "@aws-sdk/client-s3";

import { sha256MetadataName } from "../keys.ts";
import type { PutRequest, Storage } from "../storage.ts";
import { assembleParts, type Part } from "./assemble-parts.ts";
import { createBlockPool } from "./block-pool.ts";
import { type Checksums, withChecksumFallback } from "./checksums.ts";
import { asBody, signWithPayloadHash } from "./client.ts";
import type { PartBytes } from "./part-buffer.ts";
import { partBytesFor } from "./part-plan.ts";
import { putMultipart } from "./put-multipart.ts";
import {
  dataAttempts,
  dataTimeoutMs,
  demandTag,
  lastCallGraceMs,
  objectInput,
  type Sending,
  takeBackIfAborted,
} from "./sending.ts";

/**
 * A body that fits into one part goes as one PutObject, signed with its SHA-256; a larger one as a multipart upload.
 */
export function createPut(sending: Sending): Storage["put"] {
  let { budget, spool } = sending;
  let memory = { budget, spool, pool: createBlockPool(budget) };
  let checksums: Checksums = { accepted: true };

  return async function put(request) {
    let { declaredBytes, mostBytes } = request;
    let partBytes = sending.partBytes ?? partBytesFor(declaredBytes ?? mostBytes);
    // Parts on their way, and the cutting of further ones, end when one fails.
    let failure = new AbortController();
    let signal = AbortSignal.any([request.signal, failure.signal]);
    let parts = assembleParts(request.body, { partBytes, mostBytes, declaredBytes }, memory, signal);
    try {
      let first = (await parts.next()).value as Part;
      if (!first.last)
        return await putMultipart({ first, rest: parts, request, sending, checksums, failure, signal });
      try {
        await putSingle(first.bytes, request);
        await takeBackIfAborted(request, sending);
        return { sizeBytes: first.bytes.byteLength };
      } finally {
        first.release();
      }
    } finally {
      await parts.return();
    }
  };

  function putSingle(bytes: PartBytes, request: PutRequest): Promise<void> {
    let sha256 = request.sha256();
    return withChecksumFallback(checksums, sending.log, () =>
      sending.call(
        "put",
        async (abortSignal) => {
          let command = new PutObjectCommand({
            ...objectInput(request, sending),
            Metadata: { ...request.userMetadata, [sha256MetadataName]: sha256 },
            Body: asBody(bytes),
            ...(checksums.accepted ? { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") } : {}),
          });
          signWithPayloadHash(command, sha256);
          demandTag(await sending.client.send(command, { abortSignal }));
        },
        {
          attempts: dataAttempts,
          timeoutMs: dataTimeoutMs(bytes.byteLength, sending),
          signal: request.signal,
          graceMs: lastCallGraceMs,
        },
      ),
    );
  }
}
