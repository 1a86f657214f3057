import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

import { AppError } from "../../errors.ts";
import { maxKeyBytes } from "../keys.ts";
import { isMissing } from "./errors.ts";

/** Names that begin with a dot are ours: sidecars and the folder of temporary files. No key has such a segment. */
export const ownNamePrefix = ".";
const sidecarSuffix = ".meta";
const maxNameBytes = 255 - ownNamePrefix.length - sidecarSuffix.length;
// oxlint-disable-next-line no-control-regex
const badCharacter = /[\u0000-\u001f\u007f\\]/;

/** Where a key's bytes and their sidecar are. */
export interface Place {
  folder: string;
  file: string;
  sidecar: string;
}

/** Throws `storage_error` for a key that could name anything but a file below the folder of objects. */
export function placeOf(root: string, key: string): Place {
  let segments = key.split("/");
  let sound =
    key.isWellFormed() &&
    Buffer.byteLength(key) <= maxKeyBytes &&
    !badCharacter.test(key) &&
    segments.every(
      (segment) =>
        segment !== "" && !segment.startsWith(ownNamePrefix) && Buffer.byteLength(segment) <= maxNameBytes,
    );
  if (!sound) throw new AppError("storage_error", `Local storage can't hold the key ${JSON.stringify(key)}.`);

  let file = join(root, ...segments);
  let folder = dirname(file);
  return { folder, file, sidecar: join(folder, `${ownNamePrefix}${segments.at(-1)}${sidecarSuffix}`) };
}

/**
 * Rejects with `storage_error` when a symbolic link below the root leads elsewhere (the root itself may be one), and with
 * the file system's own ENOENT when the folder is not there.
 * @param folder below the root as `realpath` gave it
 */
export async function checkOwnFolder(folder: string): Promise<true> {
  if ((await realpath(folder)) === folder) return true;
  throw new AppError("storage_error", `A symbolic link leads out of the folder for objects: ${folder}.`);
}

/** `checkOwnFolder` for a folder that may have to be made: what is there of it already must not lead elsewhere. */
export async function checkFutureFolder(folder: string): Promise<void> {
  try {
    await checkOwnFolder(folder);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await checkFutureFolder(dirname(folder));
  }
}
