import type { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import type { FileKind, FileRecord } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import { openCatalog } from "../../src/record/database.ts";
import {
  type FileRepository,
  type ListQuery,
  SORT_COLUMNS,
  type SortColumn,
} from "../../src/record/file-repository.ts";
import { isCheap, planList } from "../../src/record/list-plan.ts";
import { chooseWay, listSql, partsOf } from "../../src/record/list-query.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { newFile } from "./new-file.ts";
import { tempCatalogs } from "./temp-catalog.ts";

const catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

const emptyPath = catalogs.newPath();
const kinds: FileKind[] = ["image", "video", "document"];
const types = ["image/png", "video/mp4", "application/pdf"];

/** Rows with many ties in every column, and rows without taken_at. */
async function filled(count: number, path = catalogs.newPath()): Promise<FileRepository> {
  let files = catalogs.open(path);
  for (let i = 0; i < count; i++) await files.create(numbered(i), "store");
  return files;
}

function numbered(i: number) {
  return newFile({
    filename: `${i % 2 ? "photo" : "Scan"} ${(i * 7) % 5}.bin`,
    size_bytes: (i * 11) % 4,
    kind: kinds[i % 3] ?? "other",
    content_type: types[i % 3] ?? "a/b",
    taken_at: i % 4 === 0 ? null : `2024-01-0${1 + ((i * 3) % 5)}T00:00:00`,
    created_at: new Date(Date.UTC(2026, 0, 1 + ((i * 13) % 6))).toISOString(),
  });
}

async function pages(files: FileRepository, query: ListQuery, between?: () => Promise<unknown>) {
  let rows: FileRecord[] = [];
  let next: string | undefined;
  for (;;) {
    let page = await files.list({ ...query, ...(next ? { next } : {}) });
    rows.push(...page.rows);
    if (page.next === null) return rows;
    next = page.next;
    await between?.();
  }
}

const sharedPath = catalogs.newPath();
let shared: FileRepository;
beforeAll(async () => {
  shared = await filled(60, sharedPath);
});

/** What the order means: rows without a value last, ties by id in the direction of the list. */
function inOrder(rows: FileRecord[], column: SortColumn, descending: boolean): FileRecord[] {
  let sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    let [left, right] = [a[column], b[column]];
    if (left === right) return sign * (a.id - b.id);
    if (left === null) return 1;
    if (right === null) return -1;
    return sign * (left < right ? -1 : 1);
  });
}

const sorts = SORT_COLUMNS.flatMap((column) => [false, true].map((descending) => ({ column, descending })));
const filters: Partial<ListQuery>[] = [
  {},
  { search: "photo" },
  { search: "ph" },
  { search: "photo 3" },
  { kind: "image" },
  { contentType: "video/mp4" },
  { contentType: "image/*" },
  { search: "scan", kind: "document", contentType: "application/*" },
  { from: "2026-01-03" },
  { to: "2026-01-03" },
  { from: "2026-01-02", to: "2026-01-04" },
  { minBytes: 1 },
  { minBytes: 1, maxBytes: 2 },
  { maxBytes: 2, from: "2026-01-02", kind: "image", contentType: "image/png" },
];

describe.each(sorts)("sorted by $column, descending: $descending", (sort) => {
  test("pages give every row exactly once, in order, under every filter", async () => {
    let all = (await shared.list({ size: 1000 })).rows;
    for (let filter of filters) {
      let wanted = inOrder(
        all.filter((row) => passes(row, filter)),
        sort.column,
        sort.descending,
      );
      expect(wanted.length).toBeGreaterThan(0);
      let found = await pages(shared, { ...filter, sort, size: 7 });
      expect(found.map((row) => row.id)).toEqual(wanted.map((row) => row.id));
      let iterated: number[] = [];
      for await (let row of shared.iterate({ ...filter, sort })) iterated.push(row.id);
      expect(iterated).toEqual(wanted.map((row) => row.id));
    }
  });

  test("previous leads back over the very same pages, and next of it forth again", async () => {
    for (let filter of filters) {
      let query = { ...filter, sort, size: 7 };
      let forth = [await shared.list(query)];
      for (let page = forth[0]; page?.next; forth.push(page)) {
        page = await shared.list({ ...query, next: page.next });
      }
      expect(forth[0]?.previous).toBeNull();
      let later = forth.at(-1);
      for (let page of forth.slice(0, -1).toReversed()) {
        let back = await shared.list({ ...query, previous: later?.previous ?? "" });
        expect(back).toEqual(page);
        expect((await shared.list({ ...query, next: back.next ?? "" })).rows).toEqual(later?.rows ?? []);
        later = back;
      }
    }
  });

  test("rows that come or go between two steps back neither repeat nor hide others", async () => {
    let files = await filled(30);
    let page = await files.list({ sort, size: 5 });
    while (page.next !== null) page = await files.list({ sort, size: 5, next: page.next });
    let seen = page.rows;
    for (let i = 100; page.previous !== null; i++) {
      await files.create(numbered(i), "store");
      await files.finishDelete(i - 99);
      page = await files.list({ sort, size: 5, previous: page.previous });
      seen.unshift(...page.rows);
    }
    files.close();
    expect(seen).toEqual(inOrder(seen, sort.column, sort.descending));
    let ids = new Set(seen.map((row) => row.id));
    expect(ids.size).toBe(seen.length);
    for (let id = 1; id <= 30; id++) expect(ids.has(id) || id < 20).toBe(true);
  });

  test("a page whose rows are all gone still knows both its neighbours", async () => {
    let files = await filled(9);
    let first = await files.list({ sort, size: 3 });
    let second = await files.list({ sort, size: 3, next: first.next ?? "" });
    let third = await files.list({ sort, size: 3, next: second.next ?? "" });
    for (let { id } of third.rows) await files.setAside(id);
    let empty = await files.list({ sort, size: 3, next: second.next ?? "" });
    expect([empty.rows, empty.next]).toEqual([[], null]);
    expect((await files.list({ sort, size: 3, previous: empty.previous ?? "" })).rows).toEqual(second.rows);
    for (let { id } of first.rows) await files.setAside(id);
    let before = await files.list({ sort, size: 3, previous: second.previous ?? "" });
    expect([before.rows, before.previous]).toEqual([[], null]);
    expect((await files.list({ sort, size: 3, next: before.next ?? "" })).rows).toEqual(second.rows);
    files.close();
  });

  test("rows that come or go in between neither repeat nor hide others", async () => {
    let files = await filled(30);
    let before = (await files.list({ size: 1000 })).rows;
    let i = 100;
    let found = await pages(files, { sort, size: 5 }, async () => {
      await files.create(numbered(i++), "store");
      await files.finishDelete(i - 100);
    });
    let ids = found.map((row) => row.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(found).toEqual(inOrder(found, sort.column, sort.descending));
    files.close();
    let gone = new Set(Array.from({ length: i - 100 }, (_, n) => n + 1));
    for (let row of before) if (!gone.has(row.id)) expect(ids).toContain(row.id);
  });

  test("an unfiltered page is read from an index, without sorting", () => {
    let { db, table } = openCatalog({ path: emptyPath, tableName: "order" });
    let after = { value: sort.column === "size_bytes" || sort.column === "id" ? 5 : "x", id: 5 };
    let cursors = [null, after, ...(sort.column === "taken_at" ? [{ value: null, id: 5 }] : [])];
    for (let cursor of cursors) {
      for (let backward of [false, true]) {
        let plan = planList({ sort }, { after: cursor, backward, limit: 101, hiddenIds: [3] });
        expect(isCheap(plan)).toBe(true);
        for (let part of partsOf(plan)) {
          let steps = stepsOf(db, listSql(table, plan, chooseWay(db, table, plan), part));
          expect(steps.join("\n")).not.toContain("TEMP B-TREE");
          if (sort.column !== "id") expect(steps[0]).toContain(`order_${sort.column}`);
          if (typeof (cursor?.value ?? null) !== "object" && part === "values")
            expect(steps[0]).toStartWith("SEARCH");
        }
      }
    }
    closeDatabase(db);
  });
});

describe("a range of the column that the list is sorted by", () => {
  test.each([
    ["created_at", { from: "2026-01-02", to: "2026-01-04" }],
    ["created_at", { to: "2026-01-04" }],
    ["size_bytes", { minBytes: 1, maxBytes: 2 }],
  ] as [SortColumn, ListQuery][])(
    "%s: is where the walk along its index begins and ends",
    (column, range) => {
      let { db, table } = openCatalog({ path: sharedPath, tableName: "s3_uploads" });
      for (let descending of [false, true]) {
        for (let after of [
          null,
          { value: column === "size_bytes" ? 2 : "2026-01-03T00:00:00.000Z", id: 5 },
        ]) {
          let query = { ...range, sort: { column, descending } };
          let plan = planList(query, { after, limit: 101, hiddenIds: [] });
          let way = chooseWay(db, table, plan);
          expect(way).toEqual({ kind: "walk" });
          let steps = stepsOf(db, listSql(table, plan, way, "values"));
          expect(steps).toHaveLength(1);
          expect(steps[0]).toStartWith(`SEARCH f USING INDEX s3_uploads_${column}`);
        }
      }
      closeDatabase(db);
    },
  );
});

function stepsOf(db: Database, sql: { text: string; parameters: (string | number)[] }): string[] {
  return db
    .query<{ detail: string }, (string | number)[]>(`EXPLAIN QUERY PLAN ${sql.text}`)
    .all(...sql.parameters)
    .map((row) => row.detail);
}

function passes(row: FileRecord, filter: Partial<ListQuery>): boolean {
  let words = filter.search?.split(" ") ?? [];
  return (
    words.every((word) => row.filename.toLowerCase().includes(word)) &&
    (filter.from === undefined || row.created_date >= filter.from) &&
    (filter.to === undefined || row.created_date <= filter.to) &&
    (filter.minBytes === undefined || row.size_bytes >= filter.minBytes) &&
    (filter.maxBytes === undefined || row.size_bytes <= filter.maxBytes) &&
    (filter.kind === undefined || row.kind === filter.kind) &&
    (filter.contentType === undefined || row.content_type.startsWith(filter.contentType.replace("*", "")))
  );
}

describe("the ways to read a page", () => {
  test("agree about which rows fit and in which order", async () => {
    let { db, table } = openCatalog({ path: sharedPath, tableName: "s3_uploads" });
    for (let filter of filters.slice(1)) {
      for (let sort of sorts) {
        let plan = planList({ ...filter, sort }, { after: null, limit: 1000, hiddenIds: [7] });
        let ids = (way: Parameters<typeof listSql>[2]) =>
          partsOf(plan).flatMap((part) => {
            let sql = listSql(table, plan, way, part);
            return db
              .query<{ id: number }, (string | number)[]>(sql.text)
              .all(...sql.parameters)
              .map((row) => row.id);
          });
        let walked = ids({ kind: "walk" });
        expect(walked).not.toBeEmpty();
        expect(ids({ kind: "walk", wide: [0, 1, 2, 3] })).toEqual(walked);
        expect(ids({ kind: "gather", by: 0 })).toEqual(walked);
        let isRange = [filter.from, filter.to, filter.minBytes].some((bound) => bound !== undefined);
        let canFollow = sort.column === "id" && filter.contentType !== "image/*" && !isRange;
        if (canFollow) expect(ids({ kind: "follow", by: 0 })).toEqual(walked);
      }
    }
    closeDatabase(db);
  });

  test("in the order of arrival, a search or kind is followed and not sorted", () => {
    let { db, table } = openCatalog({ path: sharedPath, tableName: "s3_uploads" });
    let queries: ListQuery[] = [
      { search: "photo" },
      { search: "ph" },
      { search: "photo ph" },
      { kind: "image" },
    ];
    for (let query of queries) {
      for (let after of [null, { value: 9, id: 9 }]) {
        let plan = planList(query, { after, limit: 101, hiddenIds: [] });
        let sql = listSql(table, plan, { kind: "follow", by: 0 }, "values");
        let steps = db
          .query<{ detail: string }, (string | number)[]>(`EXPLAIN QUERY PLAN ${sql.text}`)
          .all(...sql.parameters);
        expect(JSON.stringify(steps)).not.toContain("TEMP B-TREE");
      }
    }
    closeDatabase(db);
  });
});

describe("a page", () => {
  test("has the newest first, 100 rows, and a next only when there are more", async () => {
    let files = await filled(101);
    let first = await files.list({});
    expect(first.rows.map((row) => row.id)).toEqual(Array.from({ length: 100 }, (_, i) => 101 - i));
    expect(first.next).not.toBeNull();
    let second = await files.list({ next: first.next ?? "" });
    expect(second.rows.map((row) => row.id)).toEqual([1]);
    expect(second.next).toBeNull();
    expect((await files.list({ size: 101 })).next).toBeNull();
  });

  test.each([0, -1, 1001, 1.5, Number.NaN])("of %d rows is refused", async (size) => {
    expect(await failure(shared.list({ size }))).toMatchObject({
      code: "invalid_parameter",
      details: { parameter: "_size" },
    });
  });

  test("in an order that there is not is refused", async () => {
    let sort = { column: "id; DROP TABLE s3_uploads" as SortColumn, descending: true };
    expect(await failure(shared.list({ sort }))).toMatchObject({ details: { parameter: "_sort" } });
  });

  test("token fits only the query that it came from, but any page size", async () => {
    let files = shared;
    let next = (await files.list({ size: 3, search: "photo" })).next ?? "";
    expect((await files.list({ size: 1, search: " photo ", next })).rows).toHaveLength(1);
    let others: ListQuery[] = [
      {},
      { search: "phot" },
      { search: "photo", kind: "image" },
      { search: "photo", from: "2026-01-01" },
      { search: "photo", to: "2026-01-01" },
      { search: "photo", minBytes: 1 },
      { search: "photo", maxBytes: 1 },
      { search: "photo", contentType: "image/*" },
      { search: "photo", sort: { column: "id", descending: false } },
      { search: "photo", sort: { column: "filename", descending: true } },
    ];
    for (let query of others) {
      expect(await failure(files.list({ ...query, next }))).toMatchObject({
        code: "invalid_parameter",
        details: { parameter: "_next" },
      });
      expect(await failure(files.list({ ...query, previous: next }))).toMatchObject({
        details: { parameter: "_prev" },
      });
    }
    expect(await failure(files.list({ search: "photo", next, previous: next }))).toMatchObject({
      details: { parameter: "_prev" },
    });
  });

  test("token that is nonsense is refused", async () => {
    let files = shared;
    let next = (await files.list({ size: 1 })).next ?? "";
    let [fingerprint]: unknown[] = JSON.parse(Buffer.from(next, "base64url").toString());
    let bad = [
      "",
      "x",
      "%%",
      next.slice(0, -4),
      "A".repeat(100_000),
      token(1),
      token({}),
      token([]),
      token(null),
    ];
    bad.push(
      ...[
        [1.5, 1.5],
        ["1", 1],
        [null, 1],
        [1, "1"],
        [1, null],
        [1, 1, 1],
      ].map((rest) => token([fingerprint, ...rest])),
    );
    for (let each of bad) {
      expect(await failure(files.list({ next: each }))).toMatchObject({ code: "invalid_parameter" });
    }
  });
});

function token(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  let error = await promise.then(
    () => new Error("it did not fail"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}
