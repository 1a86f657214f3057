import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

export const folderMode = 0o700;
/** One month of one prefix is a folder, so this is never met in earnest; it only keeps the memory finite. */
const maxRemembered = 10_000;

/** Makes what was created, renamed or removed in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  let handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes folders and remembers which ones are durable. */
export interface Folders {
  /** Resolves once `folder` and all its parents up to the root are on disk. */
  make(folder: string): Promise<void>;
  /** Somebody removed it behind our back. */
  forget(folder: string): void;
}

/** @param root absolute */
export function createFolders(root: string): Folders {
  // Promises, not names: a second upload must not trust a folder that the first has made and not yet synced.
  let durable = new Map<string, Promise<void>>();

  async function makeDurable(folder: string): Promise<void> {
    let firstMade = await mkdir(folder, { recursive: true, mode: folderMode });
    // Above the root only what was made just now: the folders there may not be ours to read.
    let top = firstMade && firstMade.length <= root.length ? dirname(firstMade) : root;
    for (let at = folder; at.length > top.length; at = dirname(at)) await syncFolder(dirname(at));
  }

  return {
    make(folder) {
      let known = durable.get(folder);
      if (known) return known;
      if (durable.size >= maxRemembered) durable.clear();
      let making = makeDurable(folder);
      durable.set(folder, making);
      making.catch(() => durable.delete(folder));
      return making;
    },
    forget: (folder) => void durable.delete(folder),
  };
}
