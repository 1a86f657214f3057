import type { FileHandle } from "node:fs/promises";

import { KIB, MIB } from "../../units.ts";

/** Chunks are gathered until one write is worth its trip to the thread pool. */
const writeBytes = 512 * KIB;
/** Smaller chunks are copied into one buffer; larger ones are handed over as they are. */
const copyBelowBytes = 32 * KIB;
/** Room for copies: less than `writeBytes`, so that what is gathered never waits for it. */
const copyBufferBytes = 256 * KIB;
const defaultSyncEveryBytes = 64 * MIB;

export interface FileWriter {
  /** Takes the chunk; resolves when the next one may come. Memory stays under about `writeBytes` and one chunk. */
  write(chunk: Uint8Array): Promise<void> | void;
  /** Writes the rest and makes it durable. */
  finish(): Promise<void>;
  /** Waits for what is still under way, so that the file can be closed. Never rejects. */
  settle(): Promise<void>;
}

/**
 * Sequential writes of about half a MiB, whatever the chunks are like.
 * @param syncEveryBytes dirty bytes after which a sync begins in the background: without it the kernel hoards gigabytes, and
 *   the one sync at the end takes as long as the upload
 */
export function createFileWriter(handle: FileHandle, syncEveryBytes = defaultSyncEveryBytes): FileWriter {
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let copies: Uint8Array | null = null;
  let copiedBytes = 0;
  /** Where the run of copies that is not in `gathered` yet begins. */
  let runStart = 0;
  let unsyncedBytes = 0;
  let syncing: Promise<void> | null = null;
  let syncFailure: unknown = null;

  function endRun(): void {
    if (copies && copiedBytes > runStart) gathered.push(copies.subarray(runStart, copiedBytes));
    runStart = copiedBytes;
  }

  function copy(chunk: Uint8Array): void {
    copies ??= Buffer.allocUnsafeSlow(copyBufferBytes);
    copies.set(chunk, copiedBytes);
    copiedBytes += chunk.byteLength;
  }

  async function flush(): Promise<void> {
    endRun();
    let chunks = gathered;
    let bytes = gatheredBytes;
    gathered = [];
    gatheredBytes = 0;
    copiedBytes = 0;
    runStart = 0;
    await writeAll(handle, chunks, bytes);
    unsyncedBytes += bytes;
    if (syncFailure) throw syncFailure;
    if (unsyncedBytes >= syncEveryBytes && !syncing) beginSync();
  }

  function beginSync(): void {
    unsyncedBytes = 0;
    syncing = handle
      .datasync()
      // a failed sync is told once by the kernel: it has to fail this put
      .catch((error: unknown) => void (syncFailure = error))
      .finally(() => (syncing = null));
  }

  return {
    write(chunk) {
      if (chunk.byteLength < copyBelowBytes) {
        copy(chunk);
      } else {
        endRun();
        gathered.push(chunk);
      }
      gatheredBytes += chunk.byteLength;
      let copiesAreFull = copiedBytes > copyBufferBytes - copyBelowBytes;
      if (gatheredBytes >= writeBytes || copiesAreFull) return flush();
    },
    async finish() {
      if (gatheredBytes > 0) await flush();
      if (syncing) await syncing;
      if (syncFailure) throw syncFailure;
      await handle.sync();
    },
    async settle() {
      if (syncing) await syncing;
    },
  };
}

/** Like `writev`, but to the end: a disk that fills up gives a short count before it gives ENOSPC. */
async function writeAll(handle: FileHandle, chunks: Uint8Array[], bytes: number): Promise<void> {
  let { bytesWritten } = await handle.writev(chunks);
  if (bytesWritten === bytes) return;
  for (let chunk of chunks) {
    let skipped = Math.min(bytesWritten, chunk.byteLength);
    bytesWritten -= skipped;
    for (let offset = skipped; offset < chunk.byteLength;) {
      let written = await handle.write(chunk, offset, chunk.byteLength - offset);
      if (written.bytesWritten === 0)
        throw Object.assign(new Error("nothing was written"), { code: "ENOSPC" });
      offset += written.bytesWritten;
    }
  }
}
