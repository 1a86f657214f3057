import type { FileKind } from "../domain.ts";
import { AppError } from "../errors.ts";
import { type ListQuery, SORT_COLUMNS, type SortColumn } from "./file-repository.ts";
import type { Cursor } from "./page-token.ts";
import { parseSearch, type Search } from "./search.ts";

/** Both ends are included. */
export interface Range<Value> {
  least: Value | null;
  most: Value | null;
}

/** A list query in plain data: it is the same on both sides of the worker. */
export interface ListPlan {
  column: SortColumn;
  descending: boolean;
  search: Search | null;
  kind: FileKind | null;
  contentType: string | null;
  /** First and last moment of `created_at`, null for no bound. */
  created: Range<string>;
  sizeBytes: Range<number>;
  keys: Range<string>;
  /** Rows behind this one; null: from the start. */
  after: Cursor | null;
  /** The other way round: from the end of the list towards its start, so that "behind" is what comes before. */
  backward: boolean;
  limit: number;
  /** Rows that are being deleted: not to be shown. */
  hiddenIds: number[];
}

/** The newest first: what a list without an order means. */
export const defaultSort: { column: SortColumn; descending: boolean } = { column: "id", descending: true };

/** Throws `invalid_parameter` for a search that is too long, or an order that there is not. */
export function planList(
  query: ListQuery,
  rest: Pick<ListPlan, "after" | "limit" | "hiddenIds"> & { backward?: boolean },
): ListPlan {
  let sort = query.sort ?? defaultSort;
  // The one word of a query that becomes SQL text: it is looked at here, whoever looked before.
  if (!SORT_COLUMNS.includes(sort.column)) {
    throw new AppError("invalid_parameter", "Files can't be sorted by that column.", {
      details: { parameter: "_sort" },
    });
  }
  let { keyPrefix = null } = query;
  let contentType = query.contentType?.toLowerCase() ?? null;
  return {
    ...sort,
    search: parseSearch(query.search),
    kind: query.kind ?? null,
    contentType: contentType === "*/*" ? null : contentType,
    // A moment of a day is its date and a T and more: behind the bare date, and before the date with a tilde.
    created: { least: query.from ?? null, most: query.to === undefined ? null : `${query.to}~` },
    sizeBytes: { least: query.minBytes ?? null, most: query.maxBytes ?? null },
    // No character of a key comes after the tilde.
    keys: { least: keyPrefix, most: keyPrefix && `${keyPrefix}~` },
    backward: false,
    ...rest,
  };
}

/** Whether some index gives the page without reading rows that are not in it. */
export function isCheap(plan: ListPlan): boolean {
  let { search, kind, contentType, created, sizeBytes, keys } = plan;
  let ranges = [created, sizeBytes, keys];
  return search === null && kind === null && contentType === null && ranges.every(isOpen);
}

function isOpen({ least, most }: Range<string | number>): boolean {
  return least === null && most === null;
}
