import type { Database } from "bun:sqlite";

import { AppError } from "../errors.ts";
import { translated } from "../sqlite.ts";
import type { HeldBytes } from "../store/storage.ts";
import { MIB } from "../units.ts";

/** No row holds more, so that no append rewrites more. */
const maxRowBytes = MIB;

/** Bytes of unfinished files that are too few for storage. To be called within a transaction, but for `read`. */
export interface HeldTable {
  /** `position` is where the bytes before have ended. */
  append(uid: string, position: number, bytes: Uint8Array): void;
  /** Forgets what is in storage by now. */
  removeBefore(uid: string, position: number): void;
  removeAll(uid: string): void;
  read(uid: string, from: number, to: number): HeldBytes;
}

/**
 * Rows that get shorter towards the end, like the digits of a binary counter: a row takes in the one before it as long as
 * that is no longer than itself. So a file that comes byte by byte has a few dozen rows at a time, and each byte is
 * written anew some twenty times and not for every byte behind it.
 */
export function createHeldTable(db: Database): HeldTable {
  let insert = db.prepare<unknown, [string, number, Uint8Array]>(
    "INSERT INTO resumable_bytes (uid, position, bytes) VALUES (?, ?, ?)",
  );
  let last = db.prepare<{ id: number; position: number; size: number }, [string]>(
    "SELECT id, position, length(bytes) AS size FROM resumable_bytes WHERE uid = ? ORDER BY position DESC LIMIT 1",
  );
  let bytesOf = db.prepare<{ bytes: Uint8Array }, [number]>("SELECT bytes FROM resumable_bytes WHERE id = ?");
  let remove = db.prepare<unknown, [number]>("DELETE FROM resumable_bytes WHERE id = ?");
  let removeBefore = db.prepare<unknown, [string, number]>(
    "DELETE FROM resumable_bytes WHERE uid = ? AND position < ?",
  );
  let rowAt = db.prepare<{ position: number; bytes: Uint8Array }, [string, number]>(
    "SELECT position, bytes FROM resumable_bytes WHERE uid = ? AND position <= ? ORDER BY position DESC LIMIT 1",
  );

  function append(uid: string, position: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; at += maxRowBytes) {
      appendRow(uid, position + at, bytes.subarray(at, at + maxRowBytes));
    }
  }

  function appendRow(uid: string, position: number, bytes: Uint8Array): void {
    let pieces = [bytes];
    let size = bytes.byteLength;
    let start = position;
    for (;;) {
      let before = last.get(uid);
      if (before && before.position + before.size !== start) {
        throw new AppError("internal_error", `the bytes held of ${uid} have a gap at ${start}`);
      }
      if (!before || before.size > size || before.size + size > maxRowBytes) break;
      pieces.unshift(bytesOf.get(before.id)!.bytes);
      remove.run(before.id);
      size += before.size;
      start = before.position;
    }
    if (pieces.length === 1) insert.run(uid, start, bytes);
    else {
      let joined = concat(pieces, size);
      insert.run(uid, start, joined);
      for (let piece of [joined, ...pieces.slice(0, -1)]) giveBack(piece);
    }
  }

  function readInto(uid: string, target: Uint8Array, position: number): void {
    for (let filled = 0; filled < target.byteLength;) {
      let row = rowAt.get(uid, position + filled);
      let from = position + filled - (row?.position ?? 0);
      let piece = row?.bytes.subarray(from, from + target.byteLength - filled);
      if (!piece || piece.byteLength === 0) {
        throw new AppError("internal_error", `bytes held of ${uid} are missing at ${position + filled}`);
      }
      target.set(piece, filled);
      filled += piece.byteLength;
      giveBack(piece);
    }
  }

  return {
    append,
    removeBefore: (uid, position) => void removeBefore.run(uid, position),
    removeAll: (uid) => void removeBefore.run(uid, Number.MAX_SAFE_INTEGER),
    read: (uid, from, to) => ({
      byteLength: to - from,
      readInto: (target, position) =>
        translated("read bytes of an upload", () => readInto(uid, target, from + position)),
    }),
  };
}

function concat(pieces: readonly Uint8Array[], size: number): Uint8Array {
  let whole = new Uint8Array(size);
  let at = 0;
  for (let piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/** At once: the garbage collector sees a small object where there is a MiB, and is in no hurry. */
function giveBack({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
