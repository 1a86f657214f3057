import { constants } from "node:fs";
import { open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

import { isMissing, onDisk } from "./errors.ts";
import { type Folders, syncFolder } from "./folders.ts";
import { checkFutureFolder, type Place } from "./place.ts";
import { writeText } from "./write-text.ts";

const existing = constants.O_RDONLY | constants.O_NOFOLLOW;

export interface MovePlan {
  from: Place;
  to: Place;
  /** In the same file system as both. */
  temporaryFolder: string;
  folders: Folders;
}

/**
 * The sidecar is copied, then the object gets its new name, then the old sidecar goes: wherever a crash comes between, the
 * object stands under one name with its facts beside it.
 */
export async function moveFile({ from, to, temporaryFolder, folders }: MovePlan): Promise<void> {
  await onDisk("read", checkFutureFolder(to.folder));
  await onDisk("made", Promise.all([folders.make(temporaryFolder), folders.make(to.folder)]));
  let facts = await orNothing(readFile(from.sidecar, "utf8"));
  if (facts !== null) {
    let temporary = join(temporaryFolder, Bun.randomUUIDv7());
    try {
      await writeText(temporary, facts);
      await onDisk("written", rename(temporary, to.sidecar));
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error;
    }
  }
  // Before the new name, not after it: under that name an old time could mean that the object is to be removed.
  await onDisk("written", touch(from.file));
  await onDisk("written", rename(from.file, to.file));
  await onDisk("written", syncFolder(to.folder));
  await orNothing(unlink(from.sidecar));
  await onDisk("written", syncFolder(from.folder));
}

async function touch(file: string): Promise<void> {
  let handle = await open(file, existing);
  try {
    let now = new Date();
    await handle.utimes(now, now);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function orNothing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return null;
    return onDisk("written", Promise.reject(error));
  }
}
