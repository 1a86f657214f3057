import { createHash, randomBytes } from "node:crypto";

import type { ByteStream } from "../../src/domain.ts";
import type { PutRequest } from "../../src/store/storage.ts";
import { KIB, MIB, TIB } from "../../src/units.ts";

/** Sizes of chunks that no buffer size divides. */
export const oddChunks = [1, 7, 64 * KIB, 1021, 0, 300_007, MIB, 13];
const randomPool = randomBytes(32 * MIB);

/** Bytes that don't repeat, up to 32 MiB. */
export function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(length);
  bytes.set(randomPool.subarray(0, length));
  return bytes;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * `bytes` in chunks of the given sizes, over and over; each chunk is memory of its own, as from a socket, which is taken back
 * when the next one is asked for.
 */
export async function* inChunks(bytes: Uint8Array, chunkBytes: number[] = [64 * KIB]): ByteStream {
  let next = 0;
  for (let at = 0; at < bytes.byteLength; next++) {
    let end = at + (chunkBytes[next % chunkBytes.length] ?? MIB);
    let chunk = new Uint8Array(bytes.subarray(at, end));
    yield chunk;
    chunk.buffer.transfer(0);
    at = end;
  }
}

/** Half-open bodies: `bytes`, then the sender says nothing more. `silent` resolves when it falls silent. */
export function thenSilence(bytes: Uint8Array): { body: ByteStream; silent: Promise<void> } {
  let { promise: silent, resolve } = Promise.withResolvers<void>();
  async function* body(): ByteStream {
    yield* inChunks(bytes);
    resolve();
    await new Promise(() => {});
  }
  return { body: body(), silent };
}

/** `bytes`, then `error`. */
export async function* thenFailure(bytes: Uint8Array, error: Error): ByteStream {
  yield* inChunks(bytes);
  throw error;
}

/** A put of `bytes`; every part of the request can be another. */
export function putRequest(key: string, bytes: Uint8Array, other: Partial<PutRequest> = {}): PutRequest {
  return {
    key,
    body: inChunks(bytes),
    declaredBytes: bytes.byteLength,
    mostBytes: TIB,
    contentType: "application/octet-stream",
    userMetadata: {},
    sha256: () => sha256Of(bytes),
    onMultipartCreated: () => {},
    signal: new AbortController().signal,
    ...other,
  };
}
