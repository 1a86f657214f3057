import { AppError } from "../errors.ts";
import type { ListQuery, Page, SortColumn } from "./file-repository.ts";
import { defaultSort, type ListPlan, planList } from "./list-plan.ts";
import { type Cursor, decodePageToken, encodePageToken, queryFingerprint } from "./page-token.ts";
import { type FileRow, toRecord } from "./rows.ts";

export const defaultPageSize = 100;
export const maxPageSize = 1_000;

type Read = (plan: ListPlan) => Promise<FileRow[]>;

/** One page of a list, and whether there is something on either side of it. Throws what `planList` and `read` throw. */
export async function readPage(query: ListQuery, read: Read, hiddenIds: () => number[]): Promise<Page> {
  let size = parseSize(query.size);
  let sort = query.sort ?? defaultSort;
  let fingerprint = queryFingerprint(query, sort);
  let { cursor, backward } = placeOf(query, fingerprint, sort.column);

  let readFrom = (after: Cursor | null, limit: number, isBackward: boolean) =>
    read(planList(query, { after, limit, backward: isBackward, hiddenIds: hiddenIds() }));
  // One row more than asked tells whether the list goes on.
  let rows = await readFrom(cursor, size + 1, backward);
  let goesOn = rows.length > size;
  rows = rows.slice(0, size);
  if (backward) rows.reverse();

  let first = cursorOf(rows.at(0), sort.column);
  let last = cursorOf(rows.at(-1), sort.column);
  // Without rows the page is the gap beside the row that the token named.
  let gap = cursor && beside(cursor, sort.descending === backward ? 1 : -1);
  let ahead = { from: backward ? first : last, there: goesOn };
  let behind = { from: (backward ? last : first) ?? gap, there: false };
  if (cursor && behind.from) behind.there = (await readFrom(behind.from, 1, !backward)).length > 0;

  let token = ({ from, there }: typeof behind) => (there && from ? encodePageToken(fingerprint, from) : null);
  let [previous, next] = backward ? [ahead, behind] : [behind, ahead];
  return { rows: rows.map(toRecord), next: token(next), previous: token(previous) };
}

export function cursorOf(row: FileRow, column: SortColumn): Cursor;
export function cursorOf(row: FileRow | undefined, column: SortColumn): Cursor | null;
export function cursorOf(row: FileRow | undefined, column: SortColumn): Cursor | null {
  return row ? { value: row[column], id: row.id } : null;
}

/** Ids are whole numbers, so that a step of one reaches to the next row and not beyond it. */
function beside({ value, id }: Cursor, step: 1 | -1): Cursor {
  return { value, id: id + step };
}

function placeOf({ next, previous }: ListQuery, fingerprint: string, column: SortColumn) {
  if (next !== undefined && previous !== undefined) {
    throw new AppError("invalid_parameter", "_prev can't stand beside _next.", {
      details: { parameter: "_prev" },
    });
  }
  if (previous !== undefined) {
    return { cursor: decodePageToken(previous, fingerprint, column, "_prev"), backward: true };
  }
  let cursor = next === undefined ? null : decodePageToken(next, fingerprint, column, "_next");
  return { cursor, backward: false };
}

function parseSize(size: number | undefined): number {
  if (size === undefined) return defaultPageSize;
  if (Number.isInteger(size) && size >= 1 && size <= maxPageSize) return size;
  throw new AppError("invalid_parameter", `A page has 1 to ${maxPageSize} rows.`, {
    details: { parameter: "_size" },
  });
}
