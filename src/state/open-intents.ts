import type { Database } from "bun:sqlite";
import { existsSync } from "node:fs";

import { closeDatabase, openReader, refuseNewerSchema, schemaVersion, translatedFor } from "../sqlite.ts";
import { refuseLostState } from "./database.ts";
import type { Intent, ObjectPlace } from "./journal.ts";
import { stateMigrations } from "./migrations.ts";
import { type IntentRow, toIntent } from "./sqlite-journal.ts";

/** The journal as it is on disk, for those who only read, also while a server writes. Faults throw AppError. */
export interface OpenIntents {
  /** Oldest first. */
  all(): Intent[];
  /** Whether one of them is about this object. */
  name(place: ObjectPlace): boolean;
  /** Whether one of them is about the file of this uid. */
  nameFile(uid: string): boolean;
  /** Whether the file comes in pieces and can go on, however long ago it was begun. */
  canGoOn(uid: string): boolean;
  close(): void;
}

/** @param path of state.db; when it is not there, no intent is open */
export function openIntentsReader(path: string): OpenIntents {
  let none: OpenIntents = {
    all: () => [],
    name: () => false,
    nameFile: () => false,
    canGoOn: () => false,
    close() {},
  };
  refuseLostState(path);
  if (!existsSync(path)) return none;
  let db = openReader(path);
  try {
    let reader = translatedFor(db)("read the journal", () => {
      refuseNewerSchema(db, stateMigrations.length);
      return schemaVersion(db) > 0 ? createReader(db) : null;
    });
    if (reader) return reader;
  } catch (error) {
    closeDatabase(db);
    throw error;
  }
  closeDatabase(db);
  return none;
}

function createReader(db: Database): OpenIntents {
  let read = <T>(work: () => T): T => translatedFor(db)("read the journal", work);
  let selectAll = db.prepare<IntentRow, []>("SELECT * FROM intents ORDER BY created_at_ms, uid");
  let byKey = db.prepare<unknown, [string, string, string]>(
    "SELECT 1 FROM intents WHERE key = ? AND storage = ? AND bucket = ? LIMIT 1",
  );
  let byUid = db.prepare<unknown, [string]>("SELECT 1 FROM intents WHERE uid = ? LIMIT 1");
  // A database of an older program has no such table.
  let hasPieces =
    db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'resumable_uploads'").get() !==
    null;
  let inPieces = hasPieces
    ? db.prepare<unknown, [string]>("SELECT 1 FROM resumable_uploads WHERE uid = ? AND state = 'open'")
    : null;
  return {
    all: () => read(() => selectAll.all().map(toIntent)),
    name: ({ key, storage, bucket }) => read(() => byKey.get(key, storage, bucket) !== null),
    nameFile: (uid) => read(() => byUid.get(uid) !== null),
    canGoOn: (uid) => read(() => (inPieces?.get(uid) ?? null) !== null),
    close: () => closeDatabase(db),
  };
}
