import type { Database } from "bun:sqlite";

import type { CommitSync } from "../commit-sync.ts";
import { immediately, translatedFor } from "../sqlite.ts";

/** A file that was deleted on a page. */
export interface TrashedFile {
  fileId: number;
  uid: string;
  /** What was deleted at once. */
  batch: string;
  /** When it goes for good, in milliseconds since 1970. */
  dueAtMs: number;
}

/** What is in the trash, across restarts. Faults throw AppError. */
export interface TrashTable {
  /** Durable when it resolves. */
  add(files: TrashedFile[]): Promise<void>;
  /** Durable when it resolves; ids that are not there are no error. */
  remove(fileIds: number[]): Promise<void>;
  all(): TrashedFile[];
}

interface Row {
  file_id: number;
  uid: string;
  batch: string;
  due_at_ms: number;
}

/** @param db the private database of `openStateDatabase`, and how its commits get on disk */
export function createTrashTable(db: Database, commits: CommitSync): TrashTable {
  let translated = translatedFor(db);
  let insert = db.prepare<unknown, [number, string, string, number]>(
    "INSERT OR REPLACE INTO trash (file_id, uid, batch, due_at_ms) VALUES (?, ?, ?, ?)",
  );
  let remove = db.prepare<unknown, [number]>("DELETE FROM trash WHERE file_id = ?");
  let selectAll = db.prepare<Row, []>("SELECT file_id, uid, batch, due_at_ms FROM trash ORDER BY due_at_ms");

  return {
    async add(files) {
      translated("put files into the trash", () =>
        immediately(db, () => {
          for (let { fileId, uid, batch, dueAtMs } of files) insert.run(fileId, uid, batch, dueAtMs);
        }),
      );
      await commits.synced();
    },
    async remove(fileIds) {
      translated("take files out of the trash", () =>
        immediately(db, () => {
          for (let id of fileIds) remove.run(id);
        }),
      );
      await commits.synced();
    },
    all: () =>
      translated("read the trash", () =>
        selectAll.all().map(({ file_id: fileId, uid, batch, due_at_ms: dueAtMs }) => {
          return { fileId, uid, batch, dueAtMs };
        }),
      ),
  };
}
