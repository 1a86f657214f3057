import { AppError } from "../../errors.ts";
import { readChunks } from "../chunk-reader.ts";
import type { CompleteRequest, ReceiveRequest, ResumablePuts, StoredPart } from "../storage.ts";
import { type Multipart, partsInFlight } from "./multipart-calls.ts";
import { createPartBuffer, type PartBuffer, type PartBytes } from "./part-buffer.ts";
import { partBytesFor } from "./part-plan.ts";
import { putSingle } from "./put-single.ts";
import type { PutDeps } from "./put.ts";
import { faultOf } from "./retry.ts";

/** How often a broken read-back goes on where it broke. */
const readAttempts = 5;

/**
 * Pieces become parts of a multipart upload, without a file in between; what is too short for a part is handed back to
 * be held. A file that ends before its first part is full goes as one PutObject.
 *
 * A part counts when all before it count: two are on their way at a time, and they are committed in their order. One that
 * S3 has and nobody committed is sent once more under the same number, which replaces it.
 */
export function createResumablePuts(deps: PutDeps, open: ReadObject): ResumablePuts {
  let { sending } = deps;
  return {
    partBytesFor: (mostBytes) => sending.partBytes ?? partBytesFor(mostBytes),
    receive: (request) => goneWithUpload(receive(request, deps)),
    complete: (request) => goneWithUpload(complete(request, deps, open)),
  };
}

type ReadObject = (
  key: string,
  first: number,
  last: number,
  signal: AbortSignal,
) => Promise<ReadableStream<Uint8Array>>;

/** A bucket's rule, or somebody, has ended the multipart upload: its parts are lost, and nothing brings them back. */
async function goneWithUpload<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    let isGone = error instanceof AppError && faultOf(error.cause).code === "NoSuchUpload";
    if (!isGone) throw error;
    throw new AppError("gone", "The bucket has thrown away the unfinished upload: begin it again.", {
      cause: error,
    });
  }
}

async function receive(request: ReceiveRequest, { sending, memory, calls }: PutDeps): Promise<void> {
  let { partBytes, held, mostBytes, signal, commit } = request;
  let chunks = readChunks(request.body, signal);
  let multipart: Multipart | null = null;
  let number = (request.lastPart?.number ?? 0) + 1;
  let { offsetBytes, storedBytes } = request;
  let ahead = 0;
  let inFlight = new Set<Promise<void>>();
  let failure: unknown = null;
  /** Commits follow each other, whichever part arrives first. */
  let committed: Promise<void> = Promise.resolve();
  let buffer: PartBuffer | null = null;
  /** What the buffer takes before it is sent. */
  let roomBytes = Infinity;

  /** The upload that is there goes on only when it has a part: else nobody remembers how it was made. */
  async function begin(): Promise<Multipart> {
    let { uploadId, lastPart } = request;
    let object = request.object();
    if (uploadId && lastPart) return { key: object.key, uploadId, withChecksums: lastPart.crc32 !== null };
    if (uploadId) await sending.abortMultipart(object.key, uploadId).catch(left);
    let made = await calls.create(object, signal);
    await request.onMultipartCreated(made.multipart.uploadId);
    if (made.mayHaveStrays || request.mayHaveStrays) {
      await calls.abortAll(object.key, made.multipart.uploadId).catch(left);
    }
    return made.multipart;
  }

  /** Some servers know no list of uploads, and some policies forbid to abort them. */
  function left(error: unknown): void {
    let { key } = request.object();
    sending.log.warn(
      { key, reason: String(error) },
      "an unfinished multipart upload may be left in the bucket",
    );
  }

  async function commitPart(part: StoredPart): Promise<void> {
    storedBytes += part.sizeBytes;
    offsetBytes = Math.max(offsetBytes, storedBytes);
    await commit({ offsetBytes, storedBytes, parts: [part], held: [], isLast: false });
  }

  async function launch(bytes: PartBytes, release: () => void): Promise<void> {
    multipart ??= await begin();
    while (inFlight.size >= partsInFlight) await Promise.race(inFlight);
    if (failure) throw failure;
    let sent = calls.sendPart(multipart, number++, bytes, signal);
    let inOrder = Promise.all([sent, committed]).then(([part]) => commitPart(part));
    committed = inOrder;
    // It is awaited further down; until then a rejection is nobody's.
    inOrder.catch(() => {});
    let onItsWay = sent
      .then(() => inOrder)
      .catch((error: unknown) => void (failure ??= error))
      .finally(() => {
        release();
        inFlight.delete(onItsWay);
      });
    inFlight.add(onItsWay);
  }

  /** What is held already is fetched only when the part will be full. */
  function nextBuffer(): PartBuffer {
    let prefix = ahead === 0 && held.byteLength > 0 ? held : null;
    let leftBytes = mostBytes - ahead;
    roomBytes = partBytes - (prefix?.byteLength ?? 0);
    if (leftBytes >= roomBytes) return createPartBuffer(partBytes, memory, prefix);
    return createPartBuffer(Math.max(1, leftBytes), memory);
  }

  async function take(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0;) {
      buffer ??= nextBuffer();
      let taken = buffer.append(rest, signal);
      let count = typeof taken === "number" ? taken : await taken;
      if (count === 0) throw new AppError("internal_error", "more bytes came than were announced");
      ahead += count;
      rest = rest.subarray(count);
      if (buffer.sizeBytes === roomBytes) await sendFull(buffer);
    }
  }

  async function sendFull(full: PartBuffer): Promise<void> {
    let bytes = await full.seal(signal);
    buffer = null;
    try {
      await launch(bytes, full.release);
    } catch (error) {
      full.release();
      throw error;
    }
  }

  try {
    for (;;) {
      let next = await chunks.next();
      if (next.done) break;
      await take(next.value);
      if (failure) throw failure;
    }
    await Promise.all(inFlight);
    if (failure) throw failure;
    await committed;
    // The compiler does not see that take() sets it.
    let rest = buffer as PartBuffer | null;
    let bytes = rest === null ? [] : (await rest.seal(signal, { withPrefix: false })).blocks;
    offsetBytes = request.offsetBytes + ahead;
    await commit({ offsetBytes, storedBytes, parts: [], held: bytes, isLast: true });
  } finally {
    chunks.leave();
    await Promise.allSettled(inFlight);
    (buffer as PartBuffer | null)?.release();
  }
}

async function complete(
  request: CompleteRequest,
  { sending, memory, checksums, calls }: PutDeps,
  open: ReadObject,
): Promise<{ sha256: string }> {
  let { object, held, offsetBytes, storedBytes, uploadId, parts, signal } = request;
  let rest = createPartBuffer(Math.max(1, held.byteLength), memory, held);
  try {
    let bytes = await rest.seal(signal);
    let [first] = parts;
    if (!first) {
      if (storedBytes > 0) throw new AppError("internal_error", `the parts of ${object.key} are not known`);
      let sha256 = request.sha256 ?? digestOf(bytes);
      await putSingle(bytes, { ...object, sha256 }, { sending, checksums, signal });
      // The object is there: what was begun beside it is no reason to fail.
      if (uploadId) await sending.abortMultipart(object.key, uploadId).catch(() => {});
      return { sha256 };
    }
    if (!uploadId) throw new AppError("internal_error", `parts of ${object.key} belong to no upload`);
    let multipart = { key: object.key, uploadId, withChecksums: first.crc32 !== null };
    try {
      let last =
        bytes.byteLength === 0 ? [] : [await calls.sendPart(multipart, parts.length + 1, bytes, signal)];
      rest.release();
      await calls.complete(multipart, [...parts, ...last], offsetBytes, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // An earlier try may have got as far as the object. If nobody can look, that is another error than "gone".
      if ((await sending.head(object.key))?.sizeBytes !== offsetBytes) throw error;
    }
  } finally {
    rest.release();
  }
  return { sha256: request.sha256 ?? (await readBack(object.key, offsetBytes, open, signal)) };
}

function digestOf({ blocks }: PartBytes): string {
  let hash = new Bun.CryptoHasher("sha256");
  for (let block of blocks) hash.update(block);
  return hash.digest("hex");
}

async function readBack(
  key: string,
  sizeBytes: number,
  open: ReadObject,
  signal: AbortSignal,
): Promise<string> {
  let hash = new Bun.CryptoHasher("sha256");
  let seen = 0;
  for (let attempt = 1; seen < sizeBytes; attempt++) {
    try {
      for await (let chunk of await open(key, seen, sizeBytes - 1, signal)) {
        signal.throwIfAborted();
        hash.update(chunk);
        seen += chunk.length;
        // Left to the garbage collector, which is in no hurry, a large object's chunks pile up.
        if (chunk.buffer instanceof ArrayBuffer && chunk.length === chunk.buffer.byteLength) {
          chunk.buffer.transfer(0);
        }
      }
    } catch (error) {
      if (signal.aborted || attempt >= readAttempts) throw error;
    }
    if (attempt >= readAttempts && seen < sizeBytes) {
      throw new AppError("storage_unavailable", `${key} could not be read back to its end`);
    }
  }
  return hash.digest("hex");
}
