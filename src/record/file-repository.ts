import type { DuplicatePolicy, FileKind, FileRecord, NewFileRecord } from "../domain.ts";

export const SORT_COLUMNS = [
  "created_at",
  "filename",
  "size_bytes",
  "content_type",
  "taken_at",
  "id",
] as const;
export type SortColumn = (typeof SORT_COLUMNS)[number];

export interface ListQuery {
  /** Any part of the name, case-insensitive; several words must all be there. Absent or blank: every file. */
  search?: string;
  /** Default `id`, descending: the newest first. */
  sort?: { column: SortColumn; descending: boolean };
  /** Rows a page, 1 to 1,000; default 100. */
  size?: number;
  /** The `next` of the page before; it only fits the query that gave it. Not together with `previous`. */
  next?: string;
  /** The `previous` of the page after; as `next`. */
  previous?: string;
  kind?: FileKind;
  /** Exact, or `image/*`. */
  contentType?: string;
  /** First and last day of `created_date`, both included, as `2026-11-23`. */
  from?: string;
  to?: string;
  /** Smallest and largest size in bytes, both included. */
  minBytes?: number;
  maxBytes?: number;
  /** What the keys of the objects begin with; ends with a slash. */
  keyPrefix?: string;
}

/** A list query without its place: what an export goes through. */
export type WholeList = Omit<ListQuery, "size" | "next" | "previous">;

export interface Page {
  rows: FileRecord[];
  /** Opaque token of the page after this one, or null at the end. */
  next: string | null;
  /** Opaque token of the page before this one, or null at the start. */
  previous: string | null;
}

export interface CreateResult {
  record: FileRecord;
  /** Id of the oldest other row with the same bytes, whatever the policy. */
  duplicateOf: number | null;
  /** True when the row shares the older row's object: the object that the caller stored (if any) is not needed. */
  linked: boolean;
}

/** What `beginDelete` decided. */
export interface Deletion {
  record: FileRecord;
  /** True when no other row uses the object: the caller removes it between beginDelete and finishDelete. */
  removeObject: boolean;
}

export interface AdoptResult {
  added: number;
  /** Positions, in what was given, of rows that were there already. */
  skipped: number[];
  refused: { position: number; reason: string }[];
}

/**
 * The catalog. Everything that ties it to one process (SQLite, the set of keys being deleted) stays behind this
 * interface. Faults of the database reject with AppError `disk_full` or `internal_error`.
 */
export interface FileRepository {
  /**
   * Adds a row, durable when this resolves. Under `link` a row with bytes that are here already gets the older row's
   * storage, bucket and s3_key; under `reject` it rejects with `duplicate` (details.duplicate_of). Right under
   * concurrency: looking and adding are one step, and rows that are being deleted don't count.
   * @param mayShare whether the older row's object may be linked to; default: always
   */
  create(
    file: NewFileRecord,
    duplicates: DuplicatePolicy,
    mayShare?: (older: Pick<FileRecord, "s3_key">) => boolean,
  ): Promise<CreateResult>;
  /**
   * By integer id or by uid; null when there is none. A row whose deletion has begun is not there any more.
   * @param options.alsoHidden gives such a row as well, and one that was put aside: as long as it is in the table
   */
  get(idOrUid: string | number, options?: { alsoHidden?: boolean }): Promise<FileRecord | null>;
  /** The oldest row with these bytes, or null. */
  getByChecksum(sha256: string): Promise<FileRecord | null>;
  /**
   * One page. Rows that come or go between two pages neither repeat nor hide others, in both directions. Rejects with
   * `invalid_parameter` for a `next` or `previous` that it did not give. Never blocks the event loop for long.
   */
  list(query: ListQuery): Promise<Page>;
  /** Every row of a query in its order, in bounded memory, for exports. */
  iterate(query: WholeList): AsyncIterable<FileRecord>;
  /**
   * Puts the row out of sight: it is in no answer, and new files neither link to it nor count as its duplicates, but it
   * still holds its object. Null when there is no such row in sight. Not durable: the trash knows what to put aside again.
   */
  setAside(idOrUid: string | number): Promise<FileRecord | null>;
  /** Shows a row again that was put aside; null when there is none, or its deletion has begun. */
  bringBack(id: number): Promise<FileRecord | null>;
  /**
   * Hides the row and tells whether its object goes with it; null when there is no such row. Not durable by itself.
   * @param options.alsoSetAside takes a row as well that was put aside, as if it were in sight
   * @param options.alsoLeaving takes up a deletion as well that has begun
   */
  beginDelete(
    idOrUid: string | number,
    options?: { alsoSetAside?: boolean; alsoLeaving?: boolean },
  ): Promise<Deletion | null>;
  /** Removes the row, durable when this resolves. An id that is gone already is no error. */
  finishDelete(id: number): Promise<void>;
  /** Shows the row again after a deletion that failed; one that was put aside stays so. */
  cancelDelete(id: number): Promise<void>;
  /**
   * Adds many rows in one step, in their order, durable when this resolves: for an import. A row whose uid is there
   * already is skipped, and one whose object has a row already; one that the table refuses keeps no other.
   * @param options.sharing rows that share an object: it may have other rows
   */
  adopt(rows: readonly NewFileRecord[], options?: { sharing?: boolean }): Promise<AdoptResult>;
  /** Which of these objects have a row, hidden or not, and the digest of each. */
  checksumsByKey(storage: string, bucket: string, s3Keys: readonly string[]): Promise<Map<string, string>>;
  /** Bytes of all objects that rows use, each object once. Slow the first time in the life of a repository. */
  storedBytes(): Promise<number>;
  /** How many rows use an object. */
  countByKey(storage: string, bucket: string, s3Key: string): Promise<number>;
  close(): void;
}
