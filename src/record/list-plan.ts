import type { FileKind } from "../domain.ts";
import { AppError } from "../errors.ts";
import { type ListQuery, SORT_COLUMNS, type SortColumn } from "./file-repository.ts";
import type { Cursor } from "./page-token.ts";
import { parseSearch, type Search } from "./search.ts";

/** A list query in plain data: it is the same on both sides of the worker. */
export interface ListPlan {
  column: SortColumn;
  descending: boolean;
  search: Search | null;
  kind: FileKind | null;
  contentType: string | null;
  /** Rows behind this one; null: from the start. */
  after: Cursor | null;
  limit: number;
  /** Rows that are being deleted: not to be shown. */
  hiddenIds: number[];
}

/** The newest first: what a list without an order means. */
export const defaultSort: { column: SortColumn; descending: boolean } = { column: "id", descending: true };

/** Throws `invalid_parameter` for a search that is too long, or an order that there is not. */
export function planList(query: ListQuery, rest: Pick<ListPlan, "after" | "limit" | "hiddenIds">): ListPlan {
  let sort = query.sort ?? defaultSort;
  // The one word of a query that becomes SQL text: it is looked at here, whoever looked before.
  if (!SORT_COLUMNS.includes(sort.column)) {
    throw new AppError("invalid_parameter", "Files can't be sorted by that column.", {
      details: { parameter: "_sort" },
    });
  }
  let contentType = query.contentType?.toLowerCase() ?? null;
  return {
    ...sort,
    search: parseSearch(query.search),
    kind: query.kind ?? null,
    contentType: contentType === "*/*" ? null : contentType,
    ...rest,
  };
}

/** Whether some index gives the page without reading rows that are not in it. */
export function isCheap(plan: ListPlan): boolean {
  return plan.search === null && plan.kind === null && plan.contentType === null;
}
