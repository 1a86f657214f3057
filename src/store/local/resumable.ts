import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import type { ByteStream } from "../../domain.ts";
import { AppError } from "../../errors.ts";
import { KIB, MIB } from "../../units.ts";
import { type ChunkReader, readChunks } from "../chunk-reader.ts";
import { sha256MetadataName } from "../keys.ts";
import type { CompleteRequest, HeldBytes, ReceiveRequest, ResumablePuts } from "../storage.ts";
import { isMissing, onDisk } from "./errors.ts";
import { createFileWriter } from "./file-writer.ts";
import { type Folders, syncFolder } from "./folders.ts";
import { checkFutureFolder, type Place, placeOf } from "./place.ts";
import { putFile } from "./put-file.ts";
import { sidecarText } from "./sidecar.ts";
import { fileMode, writeText } from "./write-text.ts";

/** Beside the folder of temporary files, which is emptied at start. Below it a file has the path that its object gets. */
export const unfinishedFolderName = ".unfinished";
/** A key has one unfinished file at most, so its name says nothing. */
export const localUploadId = "file";
/** What comes before this is held: nobody knows the key yet, and a small file needs no second place. */
const heldAtMostBytes = 512 * KIB;
/** Bytes after which what has come is put on disk, and counts. */
const defaultSyncEveryBytes = 16 * MIB;
const blockBytes = 512 * KIB;
const openToAppend = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

interface LocalResumableDeps {
  root: () => Promise<{ path: string; folders: Folders }>;
  temporaryFolderName: string;
  syncEveryBytes?: number;
}

/** Pieces are appended to a file; it is renamed when it is whole. */
export function createLocalResumable(deps: LocalResumableDeps): ResumablePuts {
  let { root, temporaryFolderName, syncEveryBytes = defaultSyncEveryBytes } = deps;

  /** What the file has behind the bytes that count is of a crash, and goes. */
  async function openUnfinished(key: string, storedBytes: number): Promise<FileHandle> {
    let { path, folders } = await root();
    let { folder, file } = placeOf(join(path, unfinishedFolderName), key);
    await onDisk("read", checkFutureFolder(folder));
    await onDisk("made", folders.make(folder));
    let handle = await onDisk("written", open(file, openToAppend, fileMode));
    try {
      let { size } = await onDisk("read", handle.stat());
      if (size < storedBytes) throw new AppError("gone", "The unfinished file is not there any more.");
      if (size > storedBytes) await onDisk("written", handle.truncate(storedBytes));
      if (storedBytes === 0) await onDisk("written", syncFolder(folder));
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async function append(request: ReceiveRequest, gathered: Uint8Array, chunks: ChunkReader): Promise<void> {
    let { held, storedBytes, commit } = request;
    let { key } = request.object();
    if (request.uploadId === null) await request.onMultipartCreated(localUploadId);
    let handle = await openUnfinished(key, storedBytes);
    let committed: Promise<void> = Promise.resolve();
    let at = (bytes: number, isLast: boolean) => {
      let offsetBytes = storedBytes + bytes;
      return commit({ offsetBytes, storedBytes: offsetBytes, parts: [], held: [], isLast });
    };
    let writer = createFileWriter(handle, syncEveryBytes, (bytes) => {
      // Not before everything that was held has come along: it must not be forgotten sooner.
      if (bytes < held.byteLength) return;
      committed = committed.then(() => at(bytes, false));
      committed.catch(() => {});
    });
    let bytes = 0;
    let write = async (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      let writing = writer.write(chunk);
      if (writing) await onDisk("written", writing);
    };
    try {
      for (let block of blocksOf(held)) await write(block);
      await write(gathered);
      for (;;) {
        let next = await chunks.next();
        if (next.done) break;
        await write(next.value);
      }
      await onDisk("written", writer.finish());
      await committed;
      await at(bytes, true);
    } finally {
      await writer.settle();
      await committed.catch(() => {});
      await handle.close();
    }
  }

  async function receive(request: ReceiveRequest): Promise<void> {
    let { uploadId, held, mostBytes, offsetBytes, storedBytes, signal, commit } = request;
    let chunks = readChunks(request.body, signal);
    try {
      if (uploadId !== null) return await append(request, new Uint8Array(0), chunks);
      let room = heldAtMostBytes - held.byteLength;
      let gathered = await gather(chunks, room, mostBytes);
      if (!gathered.ended) return await append(request, gathered.bytes, gathered.rest);
      let { bytes } = gathered;
      offsetBytes += bytes.byteLength;
      await commit({ offsetBytes, storedBytes, parts: [], held: [bytes], isLast: true });
    } finally {
      chunks.leave();
    }
  }

  async function complete(request: CompleteRequest): Promise<{ sha256: string }> {
    let { object, held, storedBytes, offsetBytes: sizeBytes, signal } = request;
    let { path, folders } = await root();
    let place = placeOf(path, object.key);
    let temporaryFolder = join(path, temporaryFolderName);
    let { file } = placeOf(join(path, unfinishedFolderName), object.key);
    if (storedBytes === 0) {
      let sha256 = request.sha256 ?? (await digestOf(streamOf(held)));
      let put = { ...object, body: streamOf(held), declaredBytes: sizeBytes, mostBytes: sizeBytes, signal };
      let whole = { ...put, sha256: () => sha256, onMultipartCreated: () => {} };
      await putFile({ request: whole, place, temporaryFolder, folders });
      await onDisk("written", rm(file, { force: true }));
      return { sha256 };
    }
    if (await isFileOf(place.file, sizeBytes)) {
      return { sha256: request.sha256 ?? (await digestOf(Bun.file(place.file).stream())) };
    }
    if (!(await isFileOf(file, sizeBytes))) {
      throw new AppError("gone", "The unfinished file is not there any more.");
    }
    let sha256 = request.sha256 ?? (await digestOf(Bun.file(file).stream()));
    let userMetadata = { ...object.userMetadata, [sha256MetadataName]: sha256 };
    let sidecar = sidecarText({ contentType: object.contentType, userMetadata });
    await publish(file, sidecar, place, temporaryFolder, folders);
    return { sha256 };
  }

  return { partBytesFor: () => blockBytes, receive, complete };
}

/** In putFile's order: sidecar, file, folder. */
async function publish(
  file: string,
  sidecar: string,
  place: Place,
  temporaryFolder: string,
  folders: Folders,
): Promise<void> {
  let temporarySidecar = join(temporaryFolder, `${Bun.randomUUIDv7()}.meta`);
  await onDisk("read", checkFutureFolder(place.folder));
  await onDisk("made", Promise.all([folders.make(temporaryFolder), folders.make(place.folder)]));
  try {
    await writeText(temporarySidecar, sidecar);
    await onDisk("written", rename(temporarySidecar, place.sidecar));
    await onDisk("written", rename(file, place.file));
    await onDisk("written", syncFolder(place.folder));
  } finally {
    await rm(temporarySidecar, { force: true });
  }
}

/** Copies up to `room` bytes; what the last chunk had more stays in front of `rest`. */
async function gather(chunks: ChunkReader, room: number, mostBytes: number) {
  let buffer = new Uint8Array(Math.max(0, Math.min(room, mostBytes)));
  let count = 0;
  for (;;) {
    let next = count < room ? await chunks.next() : null;
    if (next?.done) return { bytes: buffer.subarray(0, count), ended: true as const };
    let chunk = next?.value ?? new Uint8Array(0);
    let fits = chunk.subarray(0, room - count);
    buffer.set(fits, count);
    count += fits.byteLength;
    if (count < room) continue;
    let rest = inFrontOf(chunk.subarray(fits.byteLength), chunks);
    return { bytes: buffer, ended: false as const, rest };
  }
}

function inFrontOf(first: Uint8Array, chunks: ChunkReader): ChunkReader {
  let waiting: Uint8Array | null = first.byteLength > 0 ? first : null;
  return {
    async next() {
      let value = waiting;
      waiting = null;
      return value ? { done: false, value } : await chunks.next();
    },
    leave: () => chunks.leave(),
  };
}

function* blocksOf(held: HeldBytes): Generator<Uint8Array> {
  for (let at = 0; at < held.byteLength; at += blockBytes) {
    let block = new Uint8Array(Math.min(blockBytes, held.byteLength - at));
    held.readInto(block, at);
    yield block;
  }
}

async function* streamOf(held: HeldBytes): ByteStream {
  yield* blocksOf(held);
}

async function digestOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let hash = new Bun.CryptoHasher("sha256");
  for await (let chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

async function isFileOf(file: string, sizeBytes: number): Promise<boolean> {
  try {
    return (await lstat(file)).size === sizeBytes;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
