import { constants } from "node:fs";
import { open } from "node:fs/promises";

import { onDisk } from "./errors.ts";

export const fileMode = 0o600;
export const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A new file that is on disk when this resolves. */
export async function writeText(file: string, text: string): Promise<void> {
  let handle = await onDisk("written", open(file, createNew, fileMode));
  try {
    await onDisk("written", handle.writeFile(text));
    await onDisk("written", handle.sync());
  } finally {
    await handle.close();
  }
}
