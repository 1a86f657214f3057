import { AppError } from "../../errors.ts";
import { endsWithin } from "../../soon.ts";
import type { PutRequest, StoredPart } from "../storage.ts";
import type { Part } from "./assemble-parts.ts";
import { type Multipart, type MultipartCalls, partsInFlight } from "./multipart-calls.ts";
import { type Sending, takeBackIfAborted, undoPatienceMs } from "./sending.ts";
import { tellLeft } from "./shortcomings.ts";

export interface MultipartPut {
  first: Part;
  rest: AsyncIterable<Part>;
  request: PutRequest;
  sending: Sending;
  calls: MultipartCalls;
  /** Aborted here when something fails; `signal` hears it, and the request's own signal. */
  failure: AbortController;
  signal: AbortSignal;
}

/**
 * Create, parts (a few in flight, each with its CRC32), Complete; Abort on any failure. Rejects as Storage.put does.
 */
export async function putMultipart(put: MultipartPut): Promise<{ sizeBytes: number }> {
  let { first, rest, request, sending, calls, failure, signal } = put;
  let { log } = sending;
  let { key } = request;
  let inFlight = new Set<Promise<void>>();
  let sent: StoredPart[] = [];
  let sizeBytes = 0;
  let mayHaveStrays = false;
  let left = tellLeft(log, key);

  async function launch(multipart: Multipart, part: Part): Promise<void> {
    while (inFlight.size >= partsInFlight) await Promise.race(inFlight);
    let onItsWay = calls
      .sendPart(multipart, part.number, part.bytes, signal)
      .then((stored) => void sent.push(stored))
      .catch((error: unknown) => failure.abort(error))
      .finally(() => {
        part.release();
        inFlight.delete(onItsWay);
      });
    sizeBytes += part.bytes.byteLength;
    inFlight.add(onItsWay);
  }

  async function undo(uploadId: string): Promise<void> {
    failure.abort(new AppError("internal_error", "another part of the upload has failed"));
    await Promise.allSettled(inFlight);
    await sending.abortMultipart(key, uploadId);
  }

  async function send(multipart: Multipart): Promise<void> {
    await request.onMultipartCreated(multipart.uploadId);
    await launch(multipart, first);
    for await (let part of rest) await launch(multipart, part);
    await Promise.all(inFlight);
    signal.throwIfAborted();
    await calls.complete(multipart, sent, sizeBytes, signal);
    await takeBackIfAborted(request, sending);
  }

  let multipart: Multipart | null = null;
  try {
    ({ multipart, mayHaveStrays } = await calls.create(request, signal));
    await send(multipart);
    return { sizeBytes };
  } catch (error) {
    if (multipart) await endsWithin(undo(multipart.uploadId).catch(left), undoPatienceMs);
    first.release();
    throw error;
  } finally {
    if (mayHaveStrays) await endsWithin(calls.abortAll(key).catch(left), undoPatienceMs);
  }
}
