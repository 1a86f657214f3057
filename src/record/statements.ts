import type { Database } from "bun:sqlite";

import type { NewFileRecord } from "../domain.ts";
import { AppError } from "../errors.ts";
import { type FileRow, rowColumns, toRow } from "./rows.ts";

/** The short statements of the repository, prepared once. They throw what SQLite throws. */
export interface Statements {
  byId(id: number): FileRow | null;
  byUid(uid: string): FileRow | null;
  /** The oldest row with these bytes, but for some ids. */
  oldestWithChecksum(sha256: string, exceptIds: number[]): FileRow | null;
  insert(file: NewFileRecord): FileRow;
  /** False when a row has that uid or, unless it may share, that object. */
  insertIfNew(file: NewFileRecord, mayShare: boolean): boolean;
  /** The digests of those objects that have rows. */
  checksumsByKey(storage: string, bucket: string, s3Keys: readonly string[]): Map<string, string>;
  remove(id: number): void;
  /** Whether another row, but for some ids, uses the object of this one. */
  isShared(row: FileRow, exceptIds: number[]): boolean;
  countByKey(storage: string, bucket: string, s3Key: string): number;
  /** Of all objects, each once. */
  sumBytes(): number;
}

/** @param table as the database spells it */
export function prepareStatements(db: Database, table: string): Statements {
  let columns = ["id", ...rowColumns].join(", ");
  let byId = db.prepare<FileRow, [number]>(`SELECT ${columns} FROM "${table}" WHERE id = ?`);
  let byUid = db.prepare<FileRow, [string]>(`SELECT ${columns} FROM "${table}" WHERE uid = ?`);
  let byChecksum = db.prepare<FileRow, [string, string]>(
    `SELECT ${columns} FROM "${table}" WHERE checksum_sha256 = ?
     AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT 1`,
  );
  let insert = db.prepare<FileRow, [Omit<FileRow, "id">]>(
    `INSERT INTO "${table}" (${rowColumns.join(", ")})
     VALUES (${rowColumns.map((column) => `$${column}`).join(", ")}) RETURNING ${columns}`,
  );
  let insertIfNew = db.prepare<unknown, [Omit<FileRow, "id"> & { mayShare: number }]>(
    `INSERT INTO "${table}" (${rowColumns.join(", ")})
     SELECT ${rowColumns.map((column) => `$${column}`).join(", ")} WHERE $mayShare OR NOT EXISTS (
       SELECT 1 FROM "${table}" WHERE s3_key = $s3_key AND storage = $storage AND bucket = $bucket)
     ON CONFLICT (uid) DO NOTHING`,
  );
  let checksumsByKey = db.prepare<{ s3_key: string; checksum_sha256: string }, [string, string, string]>(
    `SELECT s3_key, checksum_sha256 FROM json_each(?) CROSS JOIN "${table}" ON s3_key = value
     WHERE storage = ? AND bucket = ?`,
  );
  let remove = db.prepare<unknown, [number]>(`DELETE FROM "${table}" WHERE id = ?`);
  let sharing = db.prepare<{ id: number }, [string, string, string, number, string]>(
    `SELECT id FROM "${table}" WHERE s3_key = ? AND storage = ? AND bucket = ? AND id <> ?
     AND id NOT IN (SELECT value FROM json_each(?)) LIMIT 1`,
  );
  let countByKey = db.prepare<{ n: number }, [string, string, string]>(
    `SELECT count(*) AS n FROM "${table}" WHERE s3_key = ? AND storage = ? AND bucket = ?`,
  );
  // Keys are random: two objects never have the same one, wherever they are. Two indexes answer, without the rows: all
  // sizes, less those of rows that share an object with another one.
  let sumBytes = db.prepare<{ bytes: number }, []>(
    `SELECT coalesce(sum(size_bytes), 0) - coalesce((
       SELECT sum((shared.n - 1) * (SELECT size_bytes FROM "${table}" AS one WHERE one.s3_key = shared.s3_key LIMIT 1))
       FROM (SELECT s3_key, count(*) AS n FROM "${table}" GROUP BY s3_key HAVING n > 1) AS shared
     ), 0) AS bytes FROM "${table}"`,
  );

  return {
    byId: (id) => byId.get(id),
    byUid: (uid) => byUid.get(uid),
    oldestWithChecksum: (sha256, exceptIds) => byChecksum.get(sha256, JSON.stringify(exceptIds)),
    insert(file) {
      let row = insert.get(toRow(file));
      if (!row) throw new AppError("internal_error", "The catalog took a row and did not give it back.");
      return row;
    },
    insertIfNew: (file, mayShare) =>
      insertIfNew.run({ ...toRow(file), mayShare: mayShare ? 1 : 0 }).changes > 0,
    checksumsByKey: (storage, bucket, s3Keys) =>
      new Map(
        checksumsByKey
          .all(JSON.stringify(s3Keys), storage, bucket)
          .map((row) => [row.s3_key, row.checksum_sha256]),
      ),
    remove: (id) => void remove.run(id),
    isShared: (row, exceptIds) =>
      sharing.get(row.s3_key, row.storage, row.bucket, row.id, JSON.stringify(exceptIds)) !== null,
    sumBytes: () => sumBytes.get()?.bytes ?? 0,
    countByKey: (storage, bucket, s3Key) => countByKey.get(s3Key, storage, bucket)?.n ?? 0,
  };
}
