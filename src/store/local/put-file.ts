import { open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

import { AppError } from "../../errors.ts";
import { readChunks } from "../chunk-reader.ts";
import { sha256MetadataName } from "../keys.ts";
import type { PutRequest } from "../storage.ts";
import { isMissing, onDisk } from "./errors.ts";
import { createFileWriter } from "./file-writer.ts";
import { syncFolder } from "./folders.ts";
import type { Folders } from "./folders.ts";
import { checkFutureFolder } from "./place.ts";
import type { Place } from "./place.ts";
import { sidecarText } from "./sidecar.ts";
import { createNew, fileMode, writeText } from "./write-text.ts";

export interface PutPlan {
  request: PutRequest;
  place: Place;
  /** In the same file system as the place. */
  temporaryFolder: string;
  folders: Folders;
  syncEveryBytes?: number;
}

/**
 * Body and sidecar go to temporary names and are synced there; then the sidecar and after it the body get their names, and
 * the folder is synced. So an object that has its name is whole, and one that was acknowledged survives a power cut.
 * Whatever fails, both names are gone when this rejects.
 */
export async function putFile({
  request,
  place,
  temporaryFolder,
  folders,
  syncEveryBytes,
}: PutPlan): Promise<number> {
  let temporary = join(temporaryFolder, Bun.randomUUIDv7());
  let temporarySidecar = `${temporary}.meta`;
  /** What has to go if the put fails. */
  let made: string[] = [];
  try {
    request.signal.throwIfAborted();
    await onDisk("read", checkFutureFolder(place.folder));
    await onDisk("made", Promise.all([folders.make(temporaryFolder), folders.make(place.folder)]));

    made.push(temporary);
    let sizeBytes = await writeBody(temporary, request, syncEveryBytes);
    made.push(temporarySidecar);
    await writeText(temporarySidecar, sidecarOf(request));
    request.signal.throwIfAborted();

    made.push(place.sidecar);
    await onDisk("written", rename(temporarySidecar, place.sidecar));
    made.push(place.file);
    await onDisk("written", rename(temporary, place.file));
    await onDisk("written", syncFolder(place.folder));
    return sizeBytes;
  } catch (error) {
    await Promise.allSettled(made.map((file) => unlink(file)));
    if (error instanceof AppError && isMissing(error.cause)) {
      folders.forget(temporaryFolder);
      folders.forget(place.folder);
    }
    throw error;
  }
}

async function writeBody(file: string, request: PutRequest, syncEveryBytes?: number): Promise<number> {
  let handle = await onDisk("written", open(file, createNew, fileMode));
  let writer = createFileWriter(handle, syncEveryBytes);
  let chunks = readChunks(request.body, request.signal);
  let sizeBytes = 0;
  try {
    for (;;) {
      let next = await chunks.next();
      if (next.done) break;
      let chunk = next.value;
      sizeBytes += chunk.byteLength;
      if (sizeBytes > request.mostBytes) throw wrongLength(sizeBytes, request.mostBytes);
      let writing = writer.write(chunk);
      if (writing) await onDisk("written", writing);
    }
    if (request.declaredBytes !== null && sizeBytes !== request.declaredBytes) {
      throw wrongLength(sizeBytes, request.declaredBytes);
    }
    await onDisk("written", writer.finish());
    return sizeBytes;
  } finally {
    chunks.leave();
    await writer.settle();
    await handle.close();
  }
}

function sidecarOf(request: PutRequest): string {
  let userMetadata = { ...request.userMetadata, [sha256MetadataName]: request.sha256() };
  return sidecarText({ contentType: request.contentType, userMetadata });
}

function wrongLength(foundBytes: number, saidBytes: number): AppError {
  return new AppError(
    "internal_error",
    `The body has ${foundBytes} bytes where ${saidBytes} were announced.`,
  );
}
