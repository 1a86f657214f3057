import { mkdir, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import type { Config } from "../config/config.ts";
import type { StorageName } from "../domain.ts";
import { MIB } from "../units.ts";
import type { Report } from "./check.ts";

/** Below this the catalog and the spool are in danger. */
const lowSpaceBytes = 256 * MIB;

/**
 * Whether the data folder, or the folder that it will be made in, takes files, and how much room it has. Leaves nothing
 * behind and does not make the data folder.
 */
export async function inspectDataFolder(
  { data_dir, max_file_size_mb }: Config,
  storage: StorageName,
  uid: string,
  report: Report,
): Promise<void> {
  let folder = resolve(data_dir);
  let existing: string;
  try {
    existing = await nearestFolder(folder);
    await tryToWrite(join(existing, `.s3-uploads-check-${uid}`), existing === folder);
  } catch (error) {
    let fault = error as NodeJS.ErrnoException;
    report(
      "FAIL",
      "data folder",
      `${folder} can't be used (${reasonOf(fault)}): change data_dir or its permissions`,
    );
    return;
  }
  report(
    "ok",
    "data folder",
    existing === folder ? `${folder} takes files` : `${folder} will be made by the server`,
  );

  let { bavail, bsize } = await statfs(existing);
  let freeBytes = bavail * bsize;
  let enoughBytes = storage === "local" ? Math.max(lowSpaceBytes, max_file_size_mb * MIB) : lowSpaceBytes;
  let free = `${Math.floor(freeBytes / MIB)} MiB free`;
  if (freeBytes >= enoughBytes) report("ok", "disk space", free);
  else if (freeBytes < lowSpaceBytes)
    report("warn", "disk space", `only ${free}: make room or change data_dir`);
  else
    report(
      "warn",
      "disk space",
      `${free}, less than one file of max_file_size_mb (${max_file_size_mb} MiB) takes`,
    );
}

/** The folder itself, or the nearest one above it that is there. */
async function nearestFolder(folder: string): Promise<string> {
  try {
    let found = await stat(folder);
    if (found.isDirectory()) return folder;
    throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  } catch (error) {
    let parent = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === folder) throw error;
    return nearestFolder(parent);
  }
}

async function tryToWrite(path: string, asFile: boolean): Promise<void> {
  try {
    if (asFile) await writeFile(path, "s3-uploads check\n", { flag: "wx", mode: 0o600 });
    else await mkdir(path, { mode: 0o700 });
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "ENOTDIR") return "it is not a folder";
  if (code === "EROFS") return "the disk is read-only";
  if (code === "ENOSPC") return "the disk is full";
  return code ?? message;
}
