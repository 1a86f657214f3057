import type { Database } from "bun:sqlite";

import type { CommitSync } from "../commit-sync.ts";
import { immediately, translatedFor } from "../sqlite.ts";

/** A token or invitation whose files are counted. */
export interface Holder {
  type: "token" | "invitation";
  id: number;
}

export interface Usage {
  /** Null for no limit. */
  maxBytes: number | null;
  maxFiles: number | null;
  usedBytes: number;
  usedFiles: number;
}

/** What tokens and invitations with limits have sent. */
export interface UsageTable {
  /** Null when the holder is gone. */
  find(holder: Holder): Usage | null;
  /**
   * Counts a file, when it is called, and durable when it resolves; to be called before its row is made. One that is
   * counted already is not counted again. Resolves to false, and counts nothing, when it does not fit or the holder is gone.
   */
  charge(holder: Holder, uid: string, bytes: number): Promise<boolean>;
  /** The row is there. */
  settle(uid: string): void;
  /** The file did not come to be: takes the count back. */
  refund(holder: Holder, uid: string, bytes: number): void;
  /** Files that were counted by an earlier process, which did not get to say whether there is a row. */
  unsettled(): { uid: string; holder: Holder; bytes: number }[];
}

interface UsageRow {
  max_bytes: number | null;
  max_files: number | null;
  used_bytes: number;
  used_files: number;
}

/** @param db the private database, and how its commits get on disk */
export function createUsageTable(db: Database, commits: CommitSync): UsageTable {
  let translated = translatedFor(db);
  let of = { token: statementsFor(db, "tokens"), invitation: statementsFor(db, "invitations") };
  let insert = db.prepare<unknown, [string, string, number, number]>(
    "INSERT INTO charges (uid, holder, holder_id, bytes) VALUES (?1, ?2, ?3, ?4)",
  );
  let charged = db.prepare<{ uid: string }, [string]>("SELECT uid FROM charges WHERE uid = ?1");
  let remove = db.prepare<unknown, [string]>("DELETE FROM charges WHERE uid = ?1");
  let all = db.prepare<{ uid: string; holder: Holder["type"]; holder_id: number; bytes: number }, []>(
    "SELECT * FROM charges",
  );

  return {
    find: ({ type, id }) =>
      translated("look up what was sent", () => {
        let row = of[type].find.get(id);
        if (row === null) return null;
        let { max_bytes: maxBytes, max_files: maxFiles, used_bytes: usedBytes, used_files: usedFiles } = row;
        return { maxBytes, maxFiles, usedBytes, usedFiles };
      }),
    async charge({ type, id }, uid, bytes) {
      let fits = translated("count a file", () =>
        immediately(db, () => {
          if (charged.get(uid) !== null) return true;
          if (of[type].add.get(id, bytes) === null) return false;
          insert.run(uid, type, id, bytes);
          return true;
        }),
      );
      if (fits) await commits.synced();
      return fits;
    },
    settle: (uid) =>
      translated("count a file", () => {
        remove.run(uid);
      }),
    refund: ({ type, id }, uid, bytes) =>
      translated("take back the count of a file", () =>
        immediately(db, () => {
          remove.run(uid);
          of[type].subtract.run(id, bytes);
        }),
      ),
    unsettled: () =>
      translated("look for files that were counted", () =>
        all
          .all()
          .map(({ uid, holder: type, holder_id: id, bytes }) => ({ uid, holder: { type, id }, bytes })),
      ),
  };
}

function statementsFor(db: Database, table: "tokens" | "invitations") {
  let maxFiles = table === "tokens" ? "NULL" : "max_files";
  return {
    find: db.prepare<UsageRow, [number]>(
      `SELECT max_bytes, ${maxFiles} AS max_files, used_bytes, used_files FROM ${table} WHERE id = ?1`,
    ),
    add: db.prepare<{ id: number }, [number, number]>(
      `UPDATE ${table} SET used_bytes = used_bytes + ?2, used_files = used_files + 1
       WHERE id = ?1 AND used_bytes + ?2 <= ifnull(max_bytes, 9e18) AND used_files + 1 <= ifnull(${maxFiles}, 9e18)
       RETURNING id`,
    ),
    subtract: db.prepare<unknown, [number, number]>(
      `UPDATE ${table} SET used_bytes = max(0, used_bytes - ?2), used_files = max(0, used_files - 1) WHERE id = ?1`,
    ),
  };
}
