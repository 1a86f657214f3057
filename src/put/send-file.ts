import { stat } from "node:fs/promises";

import { AppError } from "../errors.ts";
import { type Attempt, persist } from "./persist.ts";
import type { Pieces } from "./pieces.ts";
import { RemoteError } from "./remote-error.ts";
import type { Remote, Stored } from "./remote.ts";
import { readFile, type Source } from "./sources.ts";
import type { Unfinished } from "./unfinished.ts";

/** Hears how a file comes forward. */
export interface SendWatch {
  /** Bytes that the server has or is being sent; falls when something has to be sent again. */
  onBytes(bytes: number): void;
  onPause(reason: string, ms: number): void;
}

export interface SendDeps {
  remote: Remote;
  unfinished: Unfinished;
  watch: SendWatch;
  /** Files from this size on go in pieces; smaller ones in one request, and again in one when that fails. */
  resumableBytes: number;
  pieces: Pieces;
  /** Of a file that goes in one request: the same for the same file, also in a later run. */
  idempotencyKeyOf: (source: Source) => string;
  signal: AbortSignal;
}

type FileSource = Source & { file: NonNullable<Source["file"]> };

/**
 * Sends one file of the disk, goes on where an earlier run has stopped, and compares the digest that the server found with
 * that of the file. Rejects with RemoteError, with AppError for a file that can't be read or has changed, or with the
 * signal's reason.
 */
export async function sendFile(source: FileSource, deps: SendDeps): Promise<Stored> {
  let stored = await (source.file.sizeBytes < deps.resumableBytes
    ? sendWhole(source, deps)
    : sendChunks(source, deps));
  try {
    await checkUnchanged(source, "what the server has is neither of the two");
    await checkDigest(source, stored, deps.signal);
  } catch (error) {
    if (error instanceof AppError) await deps.unfinished.forget(source);
    throw error;
  }
  return stored;
}

async function checkDigest({ file }: FileSource, { file: found, file_id }: Stored, signal: AbortSignal) {
  if (!found || found.checksum_sha256 === (await digestOf(file.path, signal))) return;
  throw new AppError("storage_error", `file ${file_id} on the server does not have the bytes of this one`);
}

function sendWhole(source: FileSource, { remote, watch, signal, ...deps }: SendDeps): Promise<Stored> {
  let { filename, file } = source;
  let key = deps.idempotencyKeyOf(source);
  let { path, sizeBytes } = file;
  let send = () => {
    let sent = 0;
    let content = readFile(path, { first: 0, end: sizeBytes }, (bytes) => watch.onBytes((sent += bytes)));
    return remote.sendWhole(filename, key, { content, bytes: sizeBytes }, signal);
  };
  return persist(send, signal, watch.onPause);
}

async function sendChunks(
  source: FileSource,
  { remote, unfinished, watch, pieces, signal }: SendDeps,
): Promise<Stored> {
  let { path, sizeBytes } = source.file;
  let uploadUrl = await unfinished.find(source);
  let reachedBytes = 0;

  async function goOn({ progressed }: Attempt): Promise<Stored> {
    let known = uploadUrl === null ? null : await remote.offset(uploadUrl, signal);
    if (uploadUrl === null || known === null) {
      uploadUrl = await remote.create(source.filename, sizeBytes, signal);
      await unfinished.remember(source, uploadUrl);
      known = { offset: 0, stored: null };
    }
    let { offset, stored } = known;
    // What a broken request has brought is progress as well.
    if (offset > reachedBytes) progressed();
    reachedBytes = offset;
    watch.onBytes(offset);
    while (!stored) {
      let first = offset;
      await checkUnchanged(source, "it was taken back");
      ({ offset, stored } = await sendPiece(uploadUrl, first));
      if (offset > first || stored) progressed();
      else if (offset >= sizeBytes) throw new RemoteError("the server is still putting the file together");
    }
    return stored;
  }

  async function sendPiece(url: string, first: number) {
    let end = pieces.endOf(first, sizeBytes);
    let sent = first;
    let content = readFile(path, { first, end }, (bytes) => watch.onBytes((sent += bytes)));
    let body = { content, bytes: end - first };
    let couldBeLess = pieces.canBeLess();
    let piece = pieces.begin();
    try {
      let answer = await remote.append(url, { offset: first, length: null }, body, signal);
      piece.end(body.bytes, "arrived");
      return answer;
    } catch (error) {
      if (!(error instanceof RemoteError) || error.code !== null) throw error;
      let isTooLarge = error.status === 413;
      piece.end(body.bytes, isTooLarge ? "too large" : "cut");
      if (!isTooLarge || !couldBeLess) throw error;
      return sendPiece(url, first);
    }
  }

  try {
    return await persist((attempt) => retryable(goOn(attempt)), signal, watch.onPause);
  } catch (error) {
    // The file itself is at fault: rather none on the server than one that is neither of the two.
    if (error instanceof AppError && uploadUrl !== null) {
      await remote.terminate(uploadUrl);
      await unfinished.forget(source);
    }
    throw error;
  }
}

/** Another offset than ours is no end: the server is asked for it again. */
export async function retryable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RemoteError && (error.status === 409 || error.status === 460)) {
      throw new RemoteError(error.message);
    }
    throw error;
  }
}

async function checkUnchanged({ file }: FileSource, consequence: string): Promise<void> {
  let facts = await stat(file.path).catch(() => null);
  if (facts?.size === file.sizeBytes && facts.mtimeMs === file.modifiedMs) return;
  throw new AppError("bad_request", `it was changed while it was sent: ${consequence}`);
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  let hasher = new Bun.CryptoHasher("sha256");
  for await (let chunk of Bun.file(path).stream()) {
    signal.throwIfAborted();
    hasher.update(chunk);
  }
  return hasher.digest("hex");
}
