import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { AppError } from "./errors.ts";

/** One unfinished part on disk. */
export interface SpoolFile {
  readonly sizeBytes: number;
  append(bytes: Uint8Array): void;
  /** Fills the target with what was written from `position` on. */
  readInto(target: Uint8Array, position: number): void;
  discard(): void;
}

export interface Spool {
  create(): SpoolFile;
  /** Removes what an earlier process may have left. */
  empty(): void;
}

/**
 * Room on disk for the unfinished parts of slow senders. A file is unlinked as soon as it is open, so that the system
 * frees it whatever happens to the process; the folder is emptied all the same. Writes are synchronous: they go into
 * the page cache and are rare, and so no part can change while it is being moved.
 */
export function createSpool(directory: string): Spool {
  return {
    empty() {
      // What is in it, not the folder: that may be a disk of its own.
      for (let name of namesIn(directory)) rmSync(join(directory, name), { recursive: true, force: true });
    },

    create() {
      let path = join(directory, Bun.randomUUIDv7());
      guarded(() => mkdirSync(directory, { recursive: true, mode: 0o700 }));
      let descriptor = guarded(() => openSync(path, "wx+", 0o600));
      unlinkSync(path);
      let sizeBytes = 0;
      return {
        get sizeBytes() {
          return sizeBytes;
        },
        append(bytes) {
          for (let written = 0; written < bytes.length;) {
            let offset = written;
            written += guarded(() =>
              writeSync(descriptor, bytes, offset, bytes.length - offset, sizeBytes + offset),
            );
          }
          sizeBytes += bytes.length;
        },
        readInto(target, position) {
          for (let read = 0; read < target.length;) {
            let count = readSync(descriptor, target, read, target.length - read, position + read);
            if (count === 0)
              throw new AppError("internal_error", "a spool file is shorter than what was written to it");
            read += count;
          }
        },
        discard() {
          if (descriptor >= 0) closeSync(descriptor);
          descriptor = -1;
        },
      };
    },
  };
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? guarded(() => readdirSync(directory)) : [];
}

function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    let full = ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
    throw new AppError(full ? "disk_full" : "internal_error", `the spool can't be used: ${String(error)}`, {
      cause: error,
    });
  }
}
