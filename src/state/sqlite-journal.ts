import type { Database } from "bun:sqlite";

import { type Clock, systemClock } from "../clock.ts";
import type { CommitSync } from "../commit-sync.ts";
import type { Json, Requester, StorageName } from "../domain.ts";
import { AppError } from "../errors.ts";
import { createGroupCommit } from "../group-commit.ts";
import { translatedFor } from "../sqlite.ts";
import type { Intent, Journal } from "./journal.ts";
import { createWriteBehind, type WriteBehind } from "./write-behind.ts";

/** A journal whose waiting closes can be written out, for a clean stop. */
export interface SqliteJournal extends Journal {
  /** Writes the closes that still wait for a begin. To be called before the database is closed. */
  flush(): void;
}

/** An intent as SQLite gives it. */
export interface IntentRow {
  kind: "upload" | "delete";
  uid: string;
  storage: StorageName;
  bucket: string;
  key: string;
  multipart_upload_id: string | null;
  file_id: number | null;
  created_at_ms: number;
  by_json: string | null;
}

/**
 * The journal in the private database. A close is not written by itself: the next begin, or a moment of rest, takes it
 * along in its transaction, which halves the commits of an upload.
 *
 * @param db the private database of `openStateDatabase`, and how its commits get on disk
 * @param behind what else waits to be written, so that it is written together
 */
export function createJournal(
  db: Database,
  commits: CommitSync,
  clock: Clock = systemClock,
  behind: WriteBehind = createWriteBehind(db),
): SqliteJournal {
  let translated = translatedFor(db);
  let insert = db.prepare<
    unknown,
    [string, string, string, string, string, number | null, number, string | null]
  >(
    `INSERT INTO intents (kind, uid, storage, bucket, key, file_id, created_at_ms, by_json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, uid) DO UPDATE SET storage = excluded.storage, bucket = excluded.bucket, key = excluded.key,
       file_id = excluded.file_id, created_at_ms = excluded.created_at_ms, by_json = excluded.by_json`,
  );
  let setMultipart = db.prepare<unknown, [string, string]>(
    "UPDATE intents SET multipart_upload_id = ? WHERE kind = 'upload' AND uid = ?",
  );
  let remove = db.prepare<unknown, [string, string]>("DELETE FROM intents WHERE kind = ? AND uid = ?");
  let selectOne = db.prepare<IntentRow, [string, string]>("SELECT * FROM intents WHERE kind = ? AND uid = ?");
  let selectOpen = db.prepare<IntentRow, []>("SELECT * FROM intents ORDER BY created_at_ms, uid");

  /** Closed for everybody here, but not yet in the table. */
  let closed = new Set<string>();

  let group = createGroupCommit(
    db,
    (work) => behind.commit("write into the journal", work),
    () => commits.synced(),
  );

  function closeLater(kind: string, uid: string): void {
    let name = `${kind} ${uid}`;
    closed.add(name);
    behind.later(
      () => remove.run(kind, uid),
      () => closed.delete(name),
    );
  }

  return {
    beginUpload: ({ uid, storage, bucket, key, by }) =>
      group.run("write an upload into the journal", () => {
        insert.run("upload", uid, storage, bucket, key, null, clock.nowMs(), textOf(by));
      }),
    multipartCreated: (uid, uploadId) =>
      group.run("write a multipart upload into the journal", () => {
        if (setMultipart.run(uploadId, uid).changes !== 1) {
          throw new AppError("internal_error", `The journal holds no upload ${uid}.`);
        }
      }),
    closeUpload: (uid) => closeLater("upload", uid),
    beginDelete: ({ uid, storage, bucket, key, fileId, by }) =>
      group.run("write a deletion into the journal", () => {
        insert.run("delete", uid, storage, bucket, key, fileId, clock.nowMs(), textOf(by));
      }),
    closeDelete: (uid) => closeLater("delete", uid),
    cancelDelete: (uid) =>
      group.run("take a deletion out of the journal", () => {
        remove.run("delete", uid);
      }),
    open: () => {
      behind.flush();
      return translated("read the journal", () => selectOpen.all().map(toIntent));
    },
    find(kind, uid) {
      if (closed.has(`${kind} ${uid}`)) return null;
      let row = translated("read the journal", () => selectOne.get(kind, uid));
      return row && toIntent(row);
    },
    flush: behind.flush,
  };
}

export function toIntent(row: IntentRow): Intent {
  let { kind, uid, storage, bucket, key } = row;
  let common = { uid, storage, bucket, key, createdAtMs: row.created_at_ms, ...requesterOf(row) };
  if (kind === "upload") return { ...common, kind, multipartUploadId: row.multipart_upload_id };
  // The table's CHECK holds that a deletion has a file_id.
  return { ...common, kind, fileId: row.file_id ?? 0 };
}

function textOf(by: Requester | undefined): string | null {
  return by ? JSON.stringify(by) : null;
}

function requesterOf({ by_json: json }: IntentRow): { by?: Requester } {
  // A reader may look at the database of an older program, which has no such column.
  if (!json) return {};
  let found: { [key: string]: Json | undefined } = JSON.parse(json);
  let { actor, address, requestId } = found;
  return { by: { actor: text(actor), address: text(address), requestId: text(requestId) } };
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
