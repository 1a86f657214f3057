import type { Database } from "bun:sqlite";
import { basename } from "node:path";

import type { FileRecord } from "../domain.ts";
import { AppError } from "../errors.ts";
import {
  closeDatabase,
  isNewDatabase,
  lookAt,
  openReader,
  refuseNewerSchema,
  translatedFor,
} from "../sqlite.ts";
import { findOurTables } from "./database.ts";
import { catalogMigrations } from "./migrations.ts";
import { badTableName, parseTableName } from "./table-name.ts";

/** Rows that are held at a time. */
const pageRows = 1000;

const auditColumns = [
  "id",
  "uid",
  "filename",
  "storage",
  "bucket",
  "s3_key",
  "size_bytes",
  "checksum_sha256",
  "created_at",
] as const satisfies readonly (keyof FileRecord)[];

/** What a comparison with storage needs of a row. */
export type AuditRow = Pick<FileRecord, (typeof auditColumns)[number]>;

/** Where objects are: rows of another place are not in this storage's listing. */
export interface AuditPlace {
  storage: string;
  bucket: string;
  /** Empty or ending with a slash. */
  prefix: string;
}

/** From the first text, itself included, to the second, itself excluded; both in byte order. */
export interface TextRange {
  from: string;
  /** Null: no end. */
  before: string | null;
}

/**
 * The catalog for those who compare it with storage: reads only, also while a server writes, and sees what is committed when
 * a page is read. All that gives many rows gives them in pages of bounded size. Faults throw AppError.
 */
export interface CatalogAudit {
  countRows(): number;
  /** Rows of a place whose keys are in the range, in byte order of the keys, then by id. */
  rowsByKey(place: AuditPlace, range: TextRange): Iterable<AuditRow[]>;
  /** Rows that are not of the place. */
  rowsElsewhere(place: AuditPlace): Iterable<AuditRow[]>;
  /** Rows of a place without their own uid in their key, in byte order of the uids. */
  rowsWithForeignKeys(place: AuditPlace, range: TextRange): Iterable<AuditRow[]>;
  byId(id: number): AuditRow | null;
  byUid(uid: string): AuditRow | null;
  /** The oldest row that uses an object, or null. */
  oldestByKey(storage: string, bucket: string, s3Key: string): AuditRow | null;
  close(): void;
}

/** Sorts behind every text. */
const behindAllText = new Uint8Array(0);

/**
 * Opens the catalog at `path`, which is not made nor brought up to date. Throws `invalid_parameter` when it has no such
 * table, `internal_error` when it is not there, is empty, can't be read or is a newer program's.
 */
export function openCatalogAudit(options: { path: string; tableName: string }): CatalogAudit {
  let { path } = options;
  let wanted = parseTableName(options.tableName);
  if (!lookAt(path)) {
    throw new AppError("internal_error", `There is no catalog ${path}: is data_dir right?`);
  }
  if (isNewDatabase(path)) {
    let message = `The catalog ${path} is empty: put a copy in its place, or have it made anew by s3-uploads import.`;
    throw new AppError("internal_error", message);
  }
  let db = openReader(path);
  try {
    return translatedFor(db)("read the catalog", () => {
      refuseNewerSchema(db, catalogMigrations(wanted).length);
      let tables = findOurTables(db);
      let table = tables.find((name) => name.toLowerCase() === wanted.toLowerCase());
      if (table) return createCatalogAudit(db, table);
      let others = tables.map((name) => `"${name}"`).join(", ") || "no table of files";
      throw badTableName(
        `db_table_name is "${wanted}", but the catalog ${basename(path)} has ${others}: set db_table_name, or another data_dir.`,
      );
    });
  } catch (error) {
    closeDatabase(db);
    throw error;
  }
}

function createCatalogAudit(db: Database, table: string): CatalogAudit {
  let read = <T>(work: () => T): T => translatedFor(db)("read the catalog", work);
  let columns = auditColumns.join(", ");
  type Bound = string | Uint8Array;
  let count = db.prepare<{ n: number }, []>(`SELECT count(*) AS n FROM "${table}"`);
  // The row to go on behind is in the range: its key with a smaller id would come again.
  let byKey = db.prepare<AuditRow, [string, Bound, string, number, string, string, number]>(
    `SELECT ${columns} FROM "${table}" WHERE s3_key >= ? AND s3_key < ? AND (s3_key <> ? OR id > ?)
     AND storage = ? AND bucket = ? ORDER BY s3_key, id LIMIT ?`,
  );
  let elsewhere = db.prepare<AuditRow, [number, string, string, string, string, number]>(
    `SELECT ${columns} FROM "${table}" WHERE id > ?
     AND (storage <> ? OR bucket <> ? OR substr(s3_key, 1, length(?)) <> ?) ORDER BY id LIMIT ?`,
  );
  let foreignKeys = db.prepare<AuditRow, [string, Bound, string, string, number]>(
    `SELECT ${columns} FROM "${table}" WHERE uid >= ? AND uid < ?
     AND storage = ? AND bucket = ? AND instr(s3_key, uid) = 0 ORDER BY uid LIMIT ?`,
  );
  let byId = db.prepare<AuditRow, [number]>(`SELECT ${columns} FROM "${table}" WHERE id = ?`);
  let byUid = db.prepare<AuditRow, [string]>(`SELECT ${columns} FROM "${table}" WHERE uid = ?`);
  let oldest = db.prepare<AuditRow, [string, string, string]>(
    `SELECT ${columns} FROM "${table}" WHERE s3_key = ? AND storage = ? AND bucket = ? ORDER BY id LIMIT 1`,
  );

  /** Pages until one is not full; `next` is asked with the last row of the page before. */
  function* pages(next: (last: AuditRow | null) => AuditRow[]): Generator<AuditRow[]> {
    let last: AuditRow | null = null;
    for (;;) {
      let page: AuditRow[] = read(() => next(last));
      if (page.length > 0) yield page;
      last = page.at(-1) ?? null;
      if (page.length < pageRows) return;
    }
  }

  return {
    countRows: () => read(() => count.get()?.n ?? 0),
    rowsByKey({ storage, bucket }, { from, before }) {
      let end = before ?? behindAllText;
      return pages((last) =>
        byKey.all(last?.s3_key ?? from, end, last?.s3_key ?? "", last?.id ?? 0, storage, bucket, pageRows),
      );
    },
    rowsElsewhere: ({ storage, bucket, prefix }) =>
      pages((last) => elsewhere.all(last?.id ?? 0, storage, bucket, prefix, prefix, pageRows)),
    rowsWithForeignKeys({ storage, bucket }, { from, before }) {
      let end = before ?? behindAllText;
      return pages((last) =>
        foreignKeys.all(last ? successorOf(last.uid) : from, end, storage, bucket, pageRows),
      );
    },
    byId: (id) => read(() => byId.get(id)),
    byUid: (uid) => read(() => byUid.get(uid)),
    oldestByKey: (storage, bucket, s3Key) => read(() => oldest.get(s3Key, storage, bucket)),
    close: () => closeDatabase(db),
  };
}

/** The first text behind this one in byte order. */
export function successorOf(text: string): string {
  return `${text}\0`;
}

/** Every text that begins with the prefix, which is empty or ends with a slash. */
export function rangeOfPrefix(prefix: string): TextRange {
  // "0" follows "/".
  return { from: prefix, before: prefix === "" ? null : `${prefix.slice(0, -1)}0` };
}
