import type { Database } from "bun:sqlite";

import { type Clock, systemClock } from "../clock.ts";
import type { CommitSync } from "../commit-sync.ts";
import type { StorageName } from "../domain.ts";
import { AppError } from "../errors.ts";
import { immediately, translatedFor } from "../sqlite.ts";
import type { Intent, Journal } from "./journal.ts";

/** How long a close may wait for a begin that takes it along. */
const closeDelayMs = 250;

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
}

/**
 * The journal in the private database. A close is not written by itself: the next begin, or a moment of rest, takes it
 * along in its transaction, which halves the commits of an upload.
 *
 * @param db the private database of `openStateDatabase`, and how its commits get on disk
 */
export function createJournal(db: Database, commits: CommitSync, clock: Clock = systemClock): SqliteJournal {
  let translated = translatedFor(db);
  let insert = db.prepare<unknown, [string, string, string, string, string, number | null, number]>(
    `INSERT INTO intents (kind, uid, storage, bucket, key, file_id, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (kind, uid) DO UPDATE SET storage = excluded.storage, bucket = excluded.bucket,
       key = excluded.key, file_id = excluded.file_id, created_at_ms = excluded.created_at_ms`,
  );
  let setMultipart = db.prepare<unknown, [string, string]>(
    "UPDATE intents SET multipart_upload_id = ? WHERE kind = 'upload' AND uid = ?",
  );
  let remove = db.prepare<unknown, [string, string]>("DELETE FROM intents WHERE kind = ? AND uid = ?");
  let selectOne = db.prepare<IntentRow, [string, string]>("SELECT * FROM intents WHERE kind = ? AND uid = ?");
  let selectOpen = db.prepare<IntentRow, []>("SELECT * FROM intents ORDER BY created_at_ms, uid");

  let closed: [kind: string, uid: string][] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;

  /** Does `work` and the waiting closes in one transaction; they go on waiting when it fails. */
  function commit(doing: string, work: () => void): void {
    let taken = closed.length;
    translated(doing, () =>
      immediately(db, () => {
        for (let [kind, uid] of closed) remove.run(kind, uid);
        work();
      }),
    );
    closed.splice(0, taken);
    if (timer && closed.length === 0) {
      clearTimeout(timer);
      timer = null;
    }
  }

  async function commitDurably(doing: string, work: () => void): Promise<void> {
    commit(doing, work);
    await commits.synced();
  }

  function flush(): void {
    if (closed.length > 0) commit("close intents in the journal", () => {});
  }

  function closeLater(kind: string, uid: string): void {
    closed.push([kind, uid]);
    if (timer) return;
    timer = setTimeout(() => {
      timer = null;
      try {
        flush();
      } catch {
        // Nobody to tell in a timer, and nothing lost: the next begin tries again, or recovery looks once more.
      }
    }, closeDelayMs);
    timer.unref();
  }

  return {
    beginUpload: ({ uid, storage, bucket, key }) =>
      commitDurably("write an upload into the journal", () => {
        insert.run("upload", uid, storage, bucket, key, null, clock.nowMs());
      }),
    multipartCreated: (uid, uploadId) =>
      commitDurably("write a multipart upload into the journal", () => {
        if (setMultipart.run(uploadId, uid).changes !== 1) {
          throw new AppError("internal_error", `The journal holds no upload ${uid}.`);
        }
      }),
    closeUpload: (uid) => closeLater("upload", uid),
    beginDelete: ({ uid, storage, bucket, key, fileId }) =>
      commitDurably("write a deletion into the journal", () => {
        insert.run("delete", uid, storage, bucket, key, fileId, clock.nowMs());
      }),
    closeDelete: (uid) => closeLater("delete", uid),
    cancelDelete: (uid) =>
      commitDurably("take a deletion out of the journal", () => {
        remove.run("delete", uid);
      }),
    open: () => {
      flush();
      return translated("read the journal", () => selectOpen.all().map(toIntent));
    },
    find(kind, uid) {
      if (closed.some(([closedKind, closedUid]) => closedKind === kind && closedUid === uid)) return null;
      let row = translated("read the journal", () => selectOne.get(kind, uid));
      return row && toIntent(row);
    },
    flush,
  };
}

export function toIntent(row: IntentRow): Intent {
  let { kind, uid, storage, bucket, key } = row;
  let common = { uid, storage, bucket, key, createdAtMs: row.created_at_ms };
  if (kind === "upload") return { ...common, kind, multipartUploadId: row.multipart_upload_id };
  // The table's CHECK holds that a deletion has a file_id.
  return { ...common, kind, fileId: row.file_id ?? 0 };
}
