import type { FileHandle } from "node:fs/promises";

import { KIB, MIB } from "../../units.ts";

/** Chunks are gathered until one write is worth its trip to the thread pool. */
const writeBytes = 512 * KIB;
/** Enough for most small files; the buffer of a larger one grows once. */
const firstWriteBytes = 64 * KIB;
const defaultSyncEveryBytes = 64 * MIB;

export interface FileWriter {
  /** Takes the chunk; resolves when the next one may come. The chunk is copied when it does. */
  write(chunk: Uint8Array): Promise<void> | void;
  /** Writes the rest and makes it durable. */
  finish(): Promise<void>;
  /** Waits for what is still under way, so that the file can be closed, and gives the memory back. Never rejects. */
  settle(): Promise<void>;
}

/**
 * Sequential writes of about half a MiB, whatever the chunks are like.
 * @param syncEveryBytes dirty bytes after which a sync begins in the background: without it the kernel hoards gigabytes, and
 *   the one sync at the end takes as long as the upload
 * @param onSynced hears how many bytes are on disk after each of those
 */
export function createFileWriter(
  handle: FileHandle,
  syncEveryBytes = defaultSyncEveryBytes,
  onSynced: (bytes: number) => void = () => {},
): FileWriter {
  let buffer = Buffer.allocUnsafeSlow(firstWriteBytes);
  let gatheredBytes = 0;
  let unsyncedBytes = 0;
  let writtenBytes = 0;
  let syncing: Promise<void> | null = null;
  let syncFailure: unknown = null;

  async function flush(): Promise<void> {
    await writeAll(handle, buffer.subarray(0, gatheredBytes));
    unsyncedBytes += gatheredBytes;
    writtenBytes += gatheredBytes;
    gatheredBytes = 0;
    if (buffer.byteLength < writeBytes) replaceBuffer(writeBytes);
    if (syncFailure) throw syncFailure;
    if (unsyncedBytes >= syncEveryBytes && !syncing) beginSync();
  }

  /** Leaves nothing to the garbage collector, which is in no hurry. */
  function replaceBuffer(bytes: number): void {
    buffer.buffer.transfer(0);
    buffer = Buffer.allocUnsafeSlow(bytes);
  }

  async function writeRest(chunk: Uint8Array, from: number): Promise<void> {
    for (let at = from; at < chunk.byteLength;) {
      await flush();
      at += gather(chunk, at);
    }
  }

  /** Tells how many of the bytes found room. */
  function gather(chunk: Uint8Array, from: number): number {
    let room = buffer.byteLength - gatheredBytes;
    let fits = from === 0 && chunk.byteLength <= room ? chunk : chunk.subarray(from, from + room);
    buffer.set(fits, gatheredBytes);
    gatheredBytes += fits.byteLength;
    return fits.byteLength;
  }

  function beginSync(): void {
    unsyncedBytes = 0;
    let bytes = writtenBytes;
    syncing = handle
      .datasync()
      .then(() => onSynced(bytes))
      // a failed sync is told once by the kernel: it has to fail this put
      .catch((error: unknown) => void (syncFailure = error))
      .finally(() => (syncing = null));
  }

  return {
    write(chunk) {
      let gathered = gather(chunk, 0);
      if (gathered < chunk.byteLength) return writeRest(chunk, gathered);
    },
    async finish() {
      if (gatheredBytes > 0) await flush();
      if (syncing) await syncing;
      if (syncFailure) throw syncFailure;
      await handle.sync();
    },
    async settle() {
      if (syncing) await syncing;
      replaceBuffer(0);
    },
  };
}

/** To the end: a disk that fills up gives a short count before it gives ENOSPC. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.byteLength;) {
    let { bytesWritten } = await handle.write(bytes, offset, bytes.byteLength - offset);
    if (bytesWritten === 0) throw Object.assign(new Error("nothing was written"), { code: "ENOSPC" });
    offset += bytesWritten;
  }
}
