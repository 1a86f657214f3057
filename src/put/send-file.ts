import { stat } from "node:fs/promises";

import { AppError } from "../errors.ts";
import { MIB } from "../units.ts";
import { type Attempt, persist } from "./persist.ts";
import { type Remote, RemoteError, type Stored } from "./remote.ts";
import { readFile, type Source } from "./sources.ts";
import type { Unfinished } from "./unfinished.ts";

/** Proxies such as Cloudflare's let 100 MB pass in one request. */
const chunkBytes = 64 * MIB;

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
  await checkUnchanged(source);
  let { file } = stored;
  if (file && file.checksum_sha256 !== (await digestOf(source.file.path, deps.signal))) {
    throw new AppError(
      "storage_error",
      `file ${stored.file_id} on the server does not have the bytes of this one`,
    );
  }
  return stored;
}

function sendWhole({ filename, file }: FileSource, { remote, watch, signal }: SendDeps): Promise<Stored> {
  let key = crypto.randomUUID();
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
  { remote, unfinished, watch, signal }: SendDeps,
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
      let end = Math.min(first + chunkBytes, sizeBytes);
      let sent = first;
      let content = readFile(path, { first, end }, (bytes) => watch.onBytes((sent += bytes)));
      let at = { offset: first, length: null };
      ({ offset, stored } = await remote.append(uploadUrl, at, { content, bytes: end - first }, signal));
      if (offset > first || stored) progressed();
      else if (offset >= sizeBytes) throw new RemoteError("the server is still putting the file together");
    }
    return stored;
  }

  let stored = await persist((attempt) => retryable(goOn(attempt)), signal, watch.onPause);
  await unfinished.forget(source);
  return stored;
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

async function checkUnchanged({ file }: FileSource): Promise<void> {
  let facts = await stat(file.path).catch(() => null);
  if (facts?.size === file.sizeBytes && facts.mtimeMs === file.modifiedMs) return;
  throw new AppError(
    "bad_request",
    "it was changed while it was sent: what the server has is neither of the two",
  );
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  let hasher = new Bun.CryptoHasher("sha256");
  for await (let chunk of Bun.file(path).stream()) {
    signal.throwIfAborted();
    hasher.update(chunk);
  }
  return hasher.digest("hex");
}
