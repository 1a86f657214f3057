import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Log } from "../log.ts";
import { HOUR_MS } from "../units.ts";

/** What a small file takes on disk; it also bounds how many there are. */
const blockBytes = 4096;
/** A file's time says when it was used, roughly: a write for each look would be dear. */
const touchEveryMs = HOUR_MS;
const temporarySuffix = ".tmp";

/** Small files that can be made again. Nothing here ever fails: at worst nothing is kept. */
export interface DiskCache {
  read(name: string): Promise<Uint8Array<ArrayBuffer> | null>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  /** The least recently used first. */
  names(): Promise<string[]>;
}

interface Entry {
  diskBytes: number;
  touchedAtMs: number;
}

/**
 * A folder that is never much larger than `maxBytes`: what was not looked at for the longest time goes first. It outlives
 * restarts; what a killed process left half-written is removed when it is first opened.
 */
export function createDiskCache(options: { directory: string; maxBytes: number; log: Log }): DiskCache {
  let { directory, maxBytes, log } = options;
  /** In the order of use. */
  let entries = new Map<string, Entry>();
  let totalBytes = 0;
  let opening: Promise<void> | null = null;

  async function load(): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    let found: [name: string, entry: Entry][] = [];
    for (let name of await readdir(directory)) {
      let path = join(directory, name);
      if (name.endsWith(temporarySuffix)) await rm(path, { force: true });
      else {
        let { size, mtimeMs } = await stat(path);
        found.push([name, { diskBytes: onDisk(size), touchedAtMs: mtimeMs }]);
      }
    }
    found.sort(([, one], [, other]) => one.touchedAtMs - other.touchedAtMs);
    for (let [name, entry] of found) add(name, entry);
    await shrink();
  }

  /** Every call waits for it; a folder that can't be read is as good as an empty one. */
  function open(): Promise<void> {
    return (opening ??= load().catch((error: unknown) => complain("read", error)));
  }

  function add(name: string, entry: Entry): void {
    drop(name);
    entries.set(name, entry);
    totalBytes += entry.diskBytes;
  }

  function drop(name: string): void {
    totalBytes -= entries.get(name)?.diskBytes ?? 0;
    entries.delete(name);
  }

  async function removeFile(name: string): Promise<void> {
    drop(name);
    await rm(join(directory, name), { force: true }).catch((error: unknown) => complain("removed", error));
  }

  async function shrink(): Promise<void> {
    for (let name of entries.keys()) {
      if (totalBytes <= maxBytes) break;
      await removeFile(name);
    }
  }

  function complain(what: string, error: unknown): void {
    log.warn({ err: error, directory }, `a file of the cache could not be ${what}`);
  }

  return {
    async read(name) {
      await open();
      let entry = entries.get(name);
      if (!entry) return null;
      let path = join(directory, name);
      try {
        let bytes = await readFile(path);
        let now = Date.now();
        if (now - entry.touchedAtMs > touchEveryMs) {
          entry.touchedAtMs = now;
          await utimes(path, new Date(now), new Date(now));
        }
        // Unless it was removed meanwhile, it is now the one used last.
        if (entries.get(name) === entry) add(name, entry);
        return new Uint8Array(bytes);
      } catch {
        drop(name);
        return null;
      }
    },

    async write(name, bytes) {
      await open();
      let temporary = join(directory, `${crypto.randomUUID()}${temporarySuffix}`);
      try {
        await writeFile(temporary, bytes, { mode: 0o600 });
        await rename(temporary, join(directory, name));
        add(name, { diskBytes: onDisk(bytes.byteLength), touchedAtMs: Date.now() });
        await shrink();
      } catch (error) {
        complain("written", error);
        await rm(temporary, { force: true }).catch(() => {});
      }
    },

    async remove(name) {
      await open();
      if (entries.has(name)) await removeFile(name);
    },

    async names() {
      await open();
      return [...entries.keys()];
    },
  };
}

function onDisk(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / blockBytes)) * blockBytes;
}
