import { createCommitSync } from "../commit-sync.ts";
import type { FileRecord } from "../domain.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import { closeDatabase, immediately, translated } from "../sqlite.ts";
import { openCatalog } from "./database.ts";
import type { FileRepository, ListQuery, Page } from "./file-repository.ts";
import { defaultSort, isCheap, type ListPlan, planList } from "./list-plan.ts";
import { readList } from "./list-query.ts";
import { type Cursor, decodePageToken, encodePageToken, queryFingerprint } from "./page-token.ts";
import { createReader } from "./reader.ts";
import { type FileRow, toRecord } from "./rows.ts";
import { prepareStatements } from "./statements.ts";

export const defaultPageSize = 100;
export const maxPageSize = 1_000;
/** Rows that an export holds at a time. */
const exportBatchRows = 500;

/**
 * The catalog in a SQLite database that nobody else writes to. Single rows and unfiltered pages are read at once; what
 * may take long is read in a worker. Throws what `openCatalog` throws.
 *
 * @param options.readTimeoutMs longest time for a read in the worker, then `server_busy`
 * @param options.onSyncFailure hears when the disk fails, after which the process has to end
 */
export function createSqliteRepository(options: {
  path: string;
  tableName: string;
  log: Log;
  readTimeoutMs?: number;
  onSyncFailure?: (error: AppError) => void;
}): FileRepository {
  let { path, log, readTimeoutMs, onSyncFailure } = options;
  let { db, table } = openCatalog(options);
  let commits = createCommitSync(db, onSyncFailure);
  let statements = prepareStatements(db, table);
  let reader = createReader({ path, table, log, ...(readTimeoutMs ? { timeoutMs: readTimeoutMs } : {}) });
  /** Rows that are being deleted. A restart forgets them; the journal knows what to finish. */
  let hidden = new Set<number>();
  let hiddenIds = () => [...hidden];

  async function read(plan: ListPlan): Promise<FileRow[]> {
    if (!isCheap(plan)) return reader.read(plan);
    return translated("list files", () => readList(db, table, plan));
  }

  function find(idOrUid: string | number): FileRow | null {
    let isId = typeof idOrUid === "number" || /^[0-9]{1,15}$/.test(idOrUid);
    let row = isId ? statements.byId(Number(idOrUid)) : statements.byUid(String(idOrUid));
    return row && !hidden.has(row.id) ? row : null;
  }

  async function list(query: ListQuery): Promise<Page> {
    let size = parseSize(query.size);
    let sort = query.sort ?? defaultSort;
    let fingerprint = queryFingerprint(query, sort);
    let after = query.next === undefined ? null : decodePageToken(query.next, fingerprint, sort.column);
    // One row more than asked tells whether there is a next page.
    let rows = await read(planList(query, { after, limit: size + 1, hiddenIds: hiddenIds() }));
    let last = rows[size - 1];
    let next = rows.length > size && last ? encodePageToken(fingerprint, cursorOf(last, sort.column)) : null;
    return { rows: rows.slice(0, size).map(toRecord), next };
  }

  async function* iterate(query: Omit<ListQuery, "size" | "next">): AsyncGenerator<FileRecord> {
    let { column } = query.sort ?? defaultSort;
    let after: Cursor | null = null;
    for (;;) {
      let rows: FileRow[] = await reader.read(
        planList(query, { after, limit: exportBatchRows, hiddenIds: hiddenIds() }),
      );
      for (let row of rows) yield toRecord(row);
      let last = rows.at(-1);
      if (!last || rows.length < exportBatchRows) return;
      after = cursorOf(last, column);
    }
  }

  return {
    async create(file, duplicates) {
      let created = translated("add a file to the catalog", () =>
        immediately(db, () => {
          let older = statements.oldestWithChecksum(file.checksum_sha256, hiddenIds());
          if (older && duplicates === "reject") {
            throw new AppError("duplicate", undefined, {
              details: { filename: file.filename, duplicate_of: older.id },
            });
          }
          let linked = older !== null && duplicates === "link";
          let place =
            linked && older ? { storage: older.storage, bucket: older.bucket, s3_key: older.s3_key } : {};
          let record = toRecord(statements.insert({ ...file, ...place }));
          return { record, duplicateOf: older?.id ?? null, linked };
        }),
      );
      await commits.synced();
      return created;
    },
    get: async (idOrUid) =>
      translated("read a file from the catalog", () => {
        let row = find(idOrUid);
        return row && toRecord(row);
      }),
    getByChecksum: async (sha256) =>
      translated("read a file from the catalog", () => {
        let row = statements.oldestWithChecksum(sha256, hiddenIds());
        return row && toRecord(row);
      }),
    list,
    iterate,
    beginDelete: async (idOrUid) =>
      translated("look up a file to delete", () => {
        let row = find(idOrUid);
        if (!row) return null;
        // Rows on their way out don't hold the object: of two that go at once, the later takes it along.
        let removeObject = !statements.isShared(row, hiddenIds());
        hidden.add(row.id);
        return { record: toRecord(row), removeObject };
      }),
    async finishDelete(id) {
      translated("delete a file from the catalog", () => statements.remove(id));
      hidden.delete(id);
      await commits.synced();
    },
    cancelDelete: async (id) => {
      hidden.delete(id);
    },
    countByKey: async (storage, bucket, s3Key) =>
      translated("count the rows of an object", () => statements.countByKey(storage, bucket, s3Key)),
    close() {
      reader.close();
      commits.close();
      closeDatabase(db);
    },
  };
}

function cursorOf(row: FileRow, column: keyof FileRow): Cursor {
  return { value: row[column], id: row.id };
}

function parseSize(size: number | undefined): number {
  if (size === undefined) return defaultPageSize;
  if (Number.isInteger(size) && size >= 1 && size <= maxPageSize) return size;
  throw new AppError("invalid_parameter", `A page has 1 to ${maxPageSize} rows.`, {
    details: { parameter: "_size" },
  });
}
