import { createCommitSync } from "../commit-sync.ts";
import type { FileRecord } from "../domain.ts";
import { AppError } from "../errors.ts";
import { createGroupCommit } from "../group-commit.ts";
import type { Log } from "../log.ts";
import { closeDatabase, immediately, patiently, translatedFor, waitWithoutBlocking } from "../sqlite.ts";
import { adoptRows } from "./adopt-rows.ts";
import { createCheckpointer } from "./checkpointer.ts";
import { openCatalog } from "./database.ts";
import type { FileRepository, WholeList } from "./file-repository.ts";
import { defaultSort, isCheap, type ListPlan, planList } from "./list-plan.ts";
import { readList } from "./list-query.ts";
import type { Cursor } from "./page-token.ts";
import { cursorOf, readPage } from "./pages.ts";
import { createReader } from "./reader.ts";
import { type FileRow, toRecord } from "./rows.ts";
import { prepareStatements } from "./statements.ts";
import { type CatalogView, remakeViews } from "./views.ts";

/** The repository, and what else is known of its database. */
export interface SqliteRepository extends FileRepository {
  /** As the database spells it. */
  readonly table: string;
}

/** Rows that an export holds at a time. */
const exportBatchRows = 500;

/**
 * The catalog in a SQLite database that nobody else writes to. Single rows and unfiltered pages are read at once; what
 * may take long is read in a worker. Throws what `openCatalog` throws.
 *
 * @param options.readTimeoutMs longest time for a read in the worker, then `server_busy`
 * @param options.views the views that the catalog is to have; by default it keeps those that it has
 * @param options.onSyncFailure hears when the disk fails, after which the process has to end
 */
export function createSqliteRepository(options: {
  path: string;
  tableName: string;
  log: Log;
  readTimeoutMs?: number;
  onSyncFailure?: (error: AppError) => void;
  views?: (table: string) => readonly CatalogView[];
}): SqliteRepository {
  let { path, log, readTimeoutMs, onSyncFailure, views } = options;
  let { db, table } = openCatalog(options);
  let translated = translatedFor(db);
  if (views) makeViews(views(table));
  let checkpointer = createCheckpointer({ db, log });
  let sync = createCommitSync(db, onSyncFailure);
  let commits = {
    ...sync,
    synced() {
      checkpointer.committed();
      return sync.synced();
    },
  };
  waitWithoutBlocking(db);
  let statements = translated("read the catalog", () => prepareStatements(db, table));
  let reader = createReader({ path, table, log, ...(readTimeoutMs ? { timeoutMs: readTimeoutMs } : {}) });
  /** Rows that are being deleted. A restart forgets them; the journal knows what to finish. */
  let leaving = new Set<number>();
  /** Rows that were put out of sight and may come back; they still hold their objects. */
  let setAside = new Set<number>();
  /** Null until somebody has asked. */
  let storedBytes: number | null = null;
  let group = createGroupCommit(db, addTogether, commits.synced);
  let isHidden = (id: number) => leaving.has(id) || setAside.has(id);
  let hiddenIds = () => [...leaving.union(setAside)];

  async function read(plan: ListPlan): Promise<FileRow[]> {
    if (!isCheap(plan)) return reader.read(plan);
    return translated("list files", () => readList(db, table, plan));
  }

  async function addTogether(work: () => void): Promise<void> {
    try {
      await patiently(() => translated("add files to the catalog", () => immediately(db, work)));
    } catch (error) {
      // The rows that it counted may not be there.
      storedBytes = null;
      throw error;
    }
  }

  function lookUp(idOrUid: string | number): FileRow | null {
    let isId = typeof idOrUid === "number" || /^[0-9]{1,15}$/.test(idOrUid);
    return isId ? statements.byId(Number(idOrUid)) : statements.byUid(String(idOrUid));
  }

  function find(idOrUid: string | number): FileRow | null {
    let row = lookUp(idOrUid);
    return row && !isHidden(row.id) ? row : null;
  }

  function remove(id: number): void {
    let row = storedBytes === null ? null : statements.byId(id);
    let freed = row === null || statements.isShared(row, []) ? 0 : row.size_bytes;
    statements.remove(id);
    if (storedBytes !== null) storedBytes -= freed;
  }

  async function* iterate(query: WholeList): AsyncGenerator<FileRecord> {
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

  function makeViews(wanted: readonly CatalogView[]): void {
    let made = translated("make the catalog's views", () => remakeViews(db, wanted));
    let missing = wanted.map(({ name }) => name).filter((name) => !made.includes(name));
    if (missing.length > 0) log.warn({ missing }, "views are left out: their names are somebody else's");
  }

  return {
    table,
    async create(file, duplicates, mayShare = () => true) {
      return group.run("add a file to the catalog", () => {
        let older = statements.oldestWithChecksum(file.checksum_sha256, hiddenIds());
        if (older && duplicates === "reject") {
          throw new AppError("duplicate", undefined, {
            details: { filename: file.filename, duplicate_of: older.id },
          });
        }
        let linked = older !== null && duplicates === "link" && mayShare(older);
        let place =
          linked && older ? { storage: older.storage, bucket: older.bucket, s3_key: older.s3_key } : {};
        let record = toRecord(statements.insert({ ...file, ...place }));
        if (storedBytes !== null && !linked) storedBytes += file.size_bytes;
        return { record, duplicateOf: older?.id ?? null, linked };
      });
    },
    get: async (idOrUid, { alsoHidden = false } = {}) =>
      translated("read a file from the catalog", () => {
        let row = alsoHidden ? lookUp(idOrUid) : find(idOrUid);
        return row && toRecord(row);
      }),
    getByChecksum: async (sha256) =>
      translated("read a file from the catalog", () => {
        let row = statements.oldestWithChecksum(sha256, hiddenIds());
        return row && toRecord(row);
      }),
    list: (query) => readPage(query, read, hiddenIds),
    iterate,
    setAside: async (idOrUid) =>
      translated("look up a file to put aside", () => {
        let row = find(idOrUid);
        if (!row) return null;
        setAside.add(row.id);
        return toRecord(row);
      }),
    bringBack: async (id) =>
      translated("bring a file back", () => {
        if (leaving.has(id) || !setAside.delete(id)) return null;
        let row = statements.byId(id);
        return row && toRecord(row);
      }),
    beginDelete: async (idOrUid, { alsoSetAside = false, alsoLeaving = false } = {}) =>
      translated("look up a file to delete", () => {
        let row = lookUp(idOrUid);
        if (!row || (leaving.has(row.id) && !alsoLeaving) || (setAside.has(row.id) && !alsoSetAside))
          return null;
        // Rows on their way out don't hold the object: of two that go at once, the later takes it along.
        let removeObject = !statements.isShared(row, [...leaving]);
        leaving.add(row.id);
        return { record: toRecord(row), removeObject };
      }),
    async finishDelete(id) {
      await patiently(() => translated("delete a file from the catalog", () => remove(id)));
      leaving.delete(id);
      setAside.delete(id);
      await commits.synced();
    },
    cancelDelete: async (id) => {
      leaving.delete(id);
    },
    async adopt(rows, { sharing = false } = {}) {
      let add = () => immediately(db, () => adoptRows(statements, rows, sharing));
      let result = await patiently(() => translated("add files to the catalog", add));
      storedBytes = null;
      await commits.synced();
      return result;
    },
    checksumsByKey: async (storage, bucket, s3Keys) =>
      translated("look up objects in the catalog", () => statements.checksumsByKey(storage, bucket, s3Keys)),
    storedBytes: async () =>
      (storedBytes ??= translated("count the stored bytes", () => statements.sumBytes())),
    countByKey: async (storage, bucket, s3Key) =>
      translated("count the rows of an object", () => statements.countByKey(storage, bucket, s3Key)),
    close() {
      reader.close();
      checkpointer.close();
      commits.close();
      closeDatabase(db);
    },
  };
}
