import type { Database } from "bun:sqlite";

import { type Filter, filtersOf, isAmong, type Parameter, type Sql } from "./list-filters.ts";
import type { ListPlan } from "./list-plan.ts";
import { type FileRow, rowColumns } from "./rows.ts";

/**
 * How a page is read. Three ways, each bounded at a million rows, because what they go through are indexes that fit in
 * memory and not the rows:
 *   walk    the index of the order, testing each id, until the page is full: best when many rows fit
 *   follow  a filter that gives its rows in id order (search, kind, type), for lists by id
 *   gather  every row of a filter that few rows pass, then sort: best when few rows fit
 * Which filters few rows pass, and which so many that a page is full after some looks at the rows themselves, is counted
 * in their indexes, up to a bound.
 */
export type ListWay = { wide?: readonly number[] } & (
  { kind: "walk" } | { kind: "follow" | "gather"; by: number }
);

/** A filter with no more rows than this is gathered and sorted; each may be a read from a cold disk. */
const gatherRows = 2_000;
/** A filter with more rows than this is tested on each row that comes by, instead of having its ids gathered. */
const wideRows = 50_000;

/** Columns in which a row may have nothing. Such rows come last, whatever the direction. */
const nullableColumns: ReadonlySet<string> = new Set(["taken_at"]);

/** Which rows a statement is about: those that have a value in the sort column come before those that have none. */
export type ListPart = "values" | "nulls";

/** The rows of a plan in the order they are come upon, at most `limit`. Runs on the main thread for cheap plans and in the worker for the others. */
export function readList(db: Database, table: string, plan: ListPlan): FileRow[] {
  let way = chooseWay(db, table, plan);
  let rows: FileRow[] = [];
  for (let part of partsOf(plan)) {
    if (rows.length >= plan.limit) break;
    let sql = listSql(table, { ...plan, limit: plan.limit - rows.length }, way, part);
    rows.push(...db.query<FileRow, Parameter[]>(sql.text).all(...sql.parameters));
  }
  return rows;
}

export function partsOf(plan: ListPlan): ListPart[] {
  if (!nullableColumns.has(plan.column)) return ["values"];
  let order: ListPart[] = plan.backward ? ["nulls", "values"] : ["values", "nulls"];
  if (plan.after === null) return order;
  // What lies behind a row begins with its own part.
  return order.slice(order.indexOf(plan.after.value === null ? "nulls" : "values"));
}

export function chooseWay(db: Database, table: string, plan: ListPlan): ListWay {
  let filters = filtersOf(table, plan);
  let followed = plan.column === "id" ? filters.findIndex((filter) => filter.ordered) : -1;
  if (followed >= 0 && filters.length === 1) return { kind: "follow", by: followed };
  if (filters.length === 1 && filters[0]?.bounds?.column === plan.column) return { kind: "walk" };
  let fewest = { by: -1, rows: gatherRows + 1 };
  let wide: number[] = [];
  for (let [by, filter] of filters.entries()) {
    let rows = countUpTo(db, filter, filter.test ? wideRows + 1 : fewest.rows);
    if (rows < fewest.rows) fewest = { by, rows };
    if (rows > wideRows) wide.push(by);
  }
  if (fewest.by >= 0) return { kind: "gather", by: fewest.by };
  return followed >= 0 ? { kind: "follow", by: followed, wide } : { kind: "walk", wide };
}

function countUpTo(db: Database, { source }: Filter, limit: number): number {
  let sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ${source.from} WHERE ${source.where.text} LIMIT ?)`;
  return db.query<{ n: number }, Parameter[]>(sql).get(...source.where.parameters, limit)?.n ?? 0;
}

/** The statement for one part of a page. Exported so that tests can ask SQLite what it makes of it. */
export function listSql(table: string, plan: ListPlan, way: ListWay, part: ListPart): Sql {
  let filters = filtersOf(table, plan);
  let chosen = way.kind === "walk" ? undefined : filters[way.by];
  let from = chosen ? joined(table, chosen) : walked(table, plan);
  let id = chosen && way.kind === "follow" ? chosen.source.id : "f.id";
  let conditions: Sql[] = [
    ...(chosen ? [chosen.source.where] : []),
    ...behindCursor(plan, part, id),
    ...filters.flatMap((filter, at) => (filter === chosen ? [] : [testOf(filter, at, plan, way, id)])),
    ...notHidden(plan.hiddenIds),
  ];
  let where = conditions.map((condition) => condition.text).join(" AND ");
  let direction = isDownwards(plan) ? "DESC" : "ASC";
  let byValue = plan.column !== "id" && part === "values" ? `f.${plan.column} ${direction}, ` : "";
  return {
    text: `SELECT ${columns} FROM ${from} ${where && `WHERE ${where}`} ORDER BY ${byValue}${id} ${direction} LIMIT ?`,
    parameters: [...conditions.flatMap((condition) => condition.parameters), plan.limit],
  };
}

/** @param at position of the filter among those of the plan */
function testOf(filter: Filter, at: number, plan: ListPlan, way: ListWay, id: string): Sql {
  if (way.kind === "walk" && filter.bounds?.column === plan.column) return filter.bounds.condition;
  // A walk by id goes through the rows themselves: looking at them costs less than gathering the ids of a wide range.
  if (way.kind === "walk" && plan.column === "id" && filter.bounds && filter.test) return filter.test;
  if (filter.test && (way.kind === "gather" || way.wide?.includes(at))) return filter.test;
  return isAmong(id, filter);
}

function isDownwards(plan: ListPlan): boolean {
  return plan.descending !== plan.backward;
}

const columns = ["id", ...rowColumns].map((column) => `f.${column}`).join(", ");

function walked(table: string, plan: ListPlan): string {
  let index = plan.column === "id" ? "NOT INDEXED" : `INDEXED BY "${table}_${plan.column}"`;
  return `"${table}" AS f ${index}`;
}

/** CROSS JOIN: the filter is read first, then the rows that it names. */
function joined(table: string, { source }: Filter): string {
  return `${source.from} CROSS JOIN "${table}" AS f ON f.id = ${source.id}`;
}

function behindCursor(plan: ListPlan, part: ListPart, id: string): Sql[] {
  let { column, after } = plan;
  let beyond = isDownwards(plan) ? "<" : ">";
  if (part === "nulls") {
    let missing: Sql = { text: `f.${column} IS NULL`, parameters: [] };
    if (after === null || after.value !== null) return [missing];
    return [missing, { text: `${id} ${beyond} ?`, parameters: [after.id] }];
  }
  if (column === "id") return after ? [{ text: `${id} ${beyond} ?`, parameters: [after.id] }] : [];
  if (after === null || after.value === null) {
    return nullableColumns.has(column) ? [{ text: `f.${column} IS NOT NULL`, parameters: [] }] : [];
  }
  return [{ text: `(f.${column}, f.id) ${beyond} (?, ?)`, parameters: [after.value, after.id] }];
}

function notHidden(ids: number[]): Sql[] {
  if (ids.length === 0) return [];
  return [{ text: "+f.id NOT IN (SELECT value FROM json_each(?))", parameters: [JSON.stringify(ids)] }];
}
