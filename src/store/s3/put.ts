import type { Storage } from "../storage.ts";
import { assembleParts, type Part } from "./assemble-parts.ts";
import type { Checksums } from "./checksums.ts";
import type { MultipartCalls } from "./multipart-calls.ts";
import type { PartMemory } from "./part-buffer.ts";
import { partBytesFor } from "./part-plan.ts";
import { putMultipart } from "./put-multipart.ts";
import { putSingle } from "./put-single.ts";
import { type Sending, takeBackIfAborted } from "./sending.ts";

/** What all puts of one storage share. */
export interface PutDeps {
  sending: Sending;
  memory: PartMemory;
  checksums: Checksums;
  calls: MultipartCalls;
}

/**
 * A body that fits into one part goes as one PutObject, signed with its SHA-256; a larger one as a multipart upload.
 */
export function createPut({ sending, memory, checksums, calls }: PutDeps): Storage["put"] {
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
        return await putMultipart({ first, rest: parts, request, sending, calls, failure, signal });
      try {
        let object = { ...request, sha256: request.sha256() };
        await putSingle(first.bytes, object, { sending, checksums, signal: request.signal });
        await takeBackIfAborted(request, sending);
        return { sizeBytes: first.bytes.byteLength };
      } finally {
        first.release();
      }
    } finally {
      await parts.return();
    }
  };
}
