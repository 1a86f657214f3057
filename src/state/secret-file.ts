import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { makePrivateFolder, translated } from "../sqlite.ts";

const secretBytes = 32;

/**
 * A secret of this data folder, made at its first use with mode 0600. Who deletes the file gets another one.
 * Throws `internal_error` or `disk_full`.
 */
export function openSecretFile(path: string): Buffer {
  return translated(`read ${path}`, () => {
    let found = read(path);
    if (found?.byteLength === secretBytes) return found;
    makePrivateFolder(dirname(path));
    // What is there without being whole is what a power cut left.
    if (found) rmSync(path);
    let secret = randomBytes(secretBytes);
    writeFileSync(path, secret, { mode: 0o600, flag: "wx" });
    return secret;
  });
}

function read(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
