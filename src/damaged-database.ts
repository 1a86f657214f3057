import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";

import { AppError } from "./errors.ts";
import { MINUTE_MS } from "./units.ts";

/** What to do about a database that SQLite can't read any more, and how to find out before SQLite writes to it. */

/** The advice in full is a paragraph; a database that many requests meet gives it no oftener than this. */
const adviceEveryMs = 10 * MINUTE_MS;
const walHeaderBytes = 32;
/** The last bit says in which order of bytes the sums are made. */
const walMagic = 0x377f0682;
/** Another process may be writing the header anew at this very moment. */
const walLooks = 3;
const walPauseMs = 20;

const adviceByFile: Record<string, string> = {
  "uploads.db":
    "To rebuild the catalog from what is stored: stop the server, move uploads.db, uploads.db-wal and uploads.db-shm to another folder, run s3-uploads import, and start the server again.",
  "state.db":
    "To go on without it: stop the server, move state.db, state.db-wal and state.db-shm out of internal/, start the server again and run s3-uploads reconcile. Access tokens have to be made anew (s3-uploads token create).",
  "lock.db": "It holds nothing: stop the server, remove the file and start again.",
};
const otherAdvice =
  "Stop the server, move the file with its -wal and -shm to another folder, and restore a copy.";

/** Codes of SQLite that mean a file with contents that can't be right. */
export function isDamage(code: string): boolean {
  return code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
}

/** When the advice was given last, by path: for the life of the process, so that no log fills up with it. */
const advisedAtMs = new Map<string, number>();

/**
 * An `internal_error` that names the file, says that it was not touched, and how to get out of it; the last in full the
 * first time only.
 *
 * @param path null when it is not known which database it was
 */
export function damagedDatabase(
  path: string | null,
  doing: string,
  reason: string,
  cause?: unknown,
): AppError {
  let name = path === null ? "a database of the data folder" : basename(path);
  let start = `Could not ${doing}: ${name} is damaged (${reason}).`;
  let nowMs = performance.now();
  let advisedMs = advisedAtMs.get(path ?? "");
  if (advisedMs !== undefined && nowMs - advisedMs < adviceEveryMs) {
    return new AppError("internal_error", `${start} What to do about it was said before.`, { cause });
  }
  advisedAtMs.set(path ?? "", nowMs);
  let advice = adviceByFile[name] ?? otherAdvice;
  return new AppError("internal_error", `${start} It was left as it is. ${advice}`, { cause });
}

/**
 * Throws for what SQLite would silently take for "new" or "nothing to replay" and write over: a `-wal` file that does not
 * begin as one, or whose database is gone, and a database without a byte that has been in use.
 *
 * @param wasInUse what tells so, if anything but its `-wal` does
 */
export function refuseDamagedFiles(path: string, wasInUse = () => false): void {
  let wal = `${path}-wal`;
  let doing = `open ${basename(path)}`;
  let bytes = statSync(path, { throwIfNoEntry: false })?.size;
  // The -wal stays for good once a database is made, and the database has its first page by then.
  if (bytes === 0 && (existsSync(wal) || wasInUse())) {
    throw damagedDatabase(path, doing, "it is empty, and was in use before");
  }
  if (!existsSync(wal)) return;
  let isLost = bytes === undefined && statSync(wal).size > 0;
  if (isLost) throw damagedDatabase(path, doing, `it is gone, and its ${basename(wal)} is not`);
  for (let look = 1; !isSoundWal(wal); look++) {
    if (look === walLooks) throw damagedDatabase(path, doing, `${basename(wal)} is not what SQLite wrote`);
    Bun.sleepSync(walPauseMs);
  }
}

/** Empty, without a header yet (a power cut may leave it so), or with one whose sum is right (sqlite.org/fileformat2.html, 4.1). */
function isSoundWal(wal: string): boolean {
  let header = Buffer.alloc(walHeaderBytes);
  let descriptor = openSync(wal, "r");
  try {
    if (readSync(descriptor, header, 0, walHeaderBytes, 0) < walHeaderBytes) return true;
  } finally {
    closeSync(descriptor);
  }
  if (header.every((byte) => byte === 0)) return true;
  let magic = header.readUInt32BE(0);
  if ((magic & ~1) >>> 0 !== walMagic) return false;
  let read = (at: number) => ((magic & 1) === 1 ? header.readUInt32BE(at) : header.readUInt32LE(at));
  let [first, second] = [0, 0];
  for (let at = 0; at < 24; at += 8) {
    first = (first + read(at) + second) >>> 0;
    second = (second + read(at + 4) + first) >>> 0;
  }
  return first === header.readUInt32BE(24) && second === header.readUInt32BE(28);
}
