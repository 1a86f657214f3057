import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { MIB } from "../units.ts";
import { isWebp } from "./draw-process.ts";

const defaultMaxBytes = 256 * MIB;
/** What a file takes of a disk at least; so that pictures that can't be drawn count as well. */
const minFileBytes = 4096;
/** What stands in the file of a picture that can't be drawn: an empty file is what a power cut leaves. */
const noPicture = "none";
const name = /^[0-9a-f-]{36}\.webp$/;

/** Thumbnails on disk, by the uid of their file; the least recently used go first. A file that is lost is made again. */
export interface ThumbnailCache {
  /** The bytes; empty for a picture that can't be drawn; null when nothing is known. */
  get(uid: string): Promise<Uint8Array | null>;
  /** Keeps them, if the disk lets it: never rejects. Empty for a picture that can't be drawn. */
  put(uid: string, bytes: Uint8Array): Promise<void>;
  /** Its file has been deleted. Never rejects. */
  remove(uid: string): Promise<void>;
}

/** Reads what an earlier process has left in the folder, which may not be there yet. */
export function createThumbnailCache(folder: string, maxBytes = defaultMaxBytes): ThumbnailCache {
  /** Bytes on disk by uid, the least recently used first. */
  let kept = new Map<string, number>();
  let keptBytes = 0;
  let pathOf = (uid: string) => join(folder, `${uid}.webp`);

  for (let { uid, bytes } of filesIn(folder)) note(uid, bytes);

  function note(uid: string, bytes: number): void {
    forget(uid);
    let size = Math.max(bytes, minFileBytes);
    kept.set(uid, size);
    keptBytes += size;
  }

  function forget(uid: string): void {
    keptBytes -= kept.get(uid) ?? 0;
    kept.delete(uid);
  }

  return {
    async get(uid) {
      let size = kept.get(uid);
      if (size === undefined) return null;
      try {
        let bytes = await readFile(pathOf(uid));
        let isNone = bytes.equals(Buffer.from(noPicture));
        if (!isNone && !isWebp(bytes)) {
          forget(uid);
          return null;
        }
        note(uid, bytes.byteLength);
        // The order outlives a restart.
        utimes(pathOf(uid), new Date(), new Date()).catch(() => {});
        return isNone ? new Uint8Array() : bytes;
      } catch {
        forget(uid);
        return null;
      }
    },

    async put(uid, bytes) {
      let temporary = `${pathOf(uid)}.${crypto.randomUUID()}`;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        await writeFile(temporary, bytes.byteLength === 0 ? noPicture : bytes, { mode: 0o600 });
        await rename(temporary, pathOf(uid));
      } catch {
        // A full disk costs the cache, not the thumbnail.
        await rm(temporary, { force: true }).catch(() => {});
        return;
      }
      note(uid, bytes.byteLength);
      for (let oldest of kept.keys()) {
        if (keptBytes <= maxBytes) break;
        forget(oldest);
        await rm(pathOf(oldest), { force: true }).catch(() => {});
      }
    },

    async remove(uid) {
      if (!kept.has(uid)) return;
      forget(uid);
      await rm(pathOf(uid), { force: true }).catch(() => {});
    },
  };
}

/** Oldest use first. What is no thumbnail of ours, as a temporary file of a crash, is removed. */
function filesIn(folder: string): { uid: string; bytes: number }[] {
  let found: { uid: string; bytes: number; usedAtMs: number }[] = [];
  for (let file of namesIn(folder)) {
    let path = join(folder, file);
    if (!name.test(file)) {
      rmSync(path, { force: true, recursive: true });
      continue;
    }
    let { size, mtimeMs } = statSync(path);
    found.push({ uid: file.slice(0, -".webp".length), bytes: size, usedAtMs: mtimeMs });
  }
  return found.toSorted((a, b) => a.usedAtMs - b.usedAtMs);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
