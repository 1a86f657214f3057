import { zValidator } from "@hono/zod-validator";
import { z } from "zod";

import type { ListQuery, WholeList } from "../record/file-repository.ts";
import { LIST_FIELDS, PAGE_FIELDS } from "./list-fields.ts";
import { choiceField, invalidParameter, queryFields } from "./query-fields.ts";

export type ListLook = "table" | "grid";

/** A list as its address asks for it. */
export interface ListRequest {
  query: ListQuery;
  view: ListLook;
  /** The deletion whose undo is offered above the list, or null. */
  deletedBatch: string | null;
}

/** Of pages alone. */
const LOOK_FIELDS = {
  _deleted: z.uuid("is no deletion"),
  view: choiceField(["table", "grid"], "How it looks."),
};

const listSchema = z
  .object(queryFields({ ...LIST_FIELDS, ...PAGE_FIELDS, ...LOOK_FIELDS }))
  .transform((given, check): ListRequest => {
    let { _search: search, _sort: up, _sort_desc: down, _size: size, _next: next, _prev: previous } = given;
    let { kind, content_type: type, from, to, min_size: minBytes, max_size: maxBytes } = given;
    let { view = "table", _deleted: deletedBatch = null } = given;
    let clash = (parameter: string, message: string) =>
      check.addIssue({ code: "custom", path: [parameter], message });
    if (up !== undefined && down !== undefined) clash("_sort_desc", "can't stand beside _sort");
    if (next !== undefined && previous !== undefined) clash("_prev", "can't stand beside _next");
    if (from !== undefined && to !== undefined && from > to) clash("to", "is before from");
    if (minBytes !== undefined && maxBytes !== undefined && minBytes > maxBytes) {
      clash("max_size", "is smaller than min_size");
    }
    let column = up ?? down;
    return {
      query: present({
        search,
        sort: column && { column, descending: down !== undefined },
        size,
        next,
        previous,
        kind,
        contentType: type,
        from,
        to,
        minBytes,
        maxBytes,
      }),
      view,
      deletedBatch,
    };
  });

/** Validates the query of a list; rejects with `invalid_parameter` naming the first parameter at fault. */
export const listParameters = zValidator("query", listSchema, (result) => {
  if (!result.success) throw invalidParameter(result.error.issues[0]);
});

/** The list that a form came from, to go back to; the whole of it when that can't be read. */
export function parseListAddress(search: string): ListRequest {
  let parsed = listSchema.safeParse(Object.fromEntries(new URLSearchParams(search)));
  return parsed.success ? parsed.data : { query: {}, view: "table", deletedBatch: null };
}

/** Whether an address says nothing in vain, as a form's does: no field that is empty, sizes in bytes. */
export function isTidy(url: string): boolean {
  let parameters = [...new URL(url).searchParams];
  return parameters.every(
    ([name, value]) => value !== "" && (!name.endsWith("_size") || /^\d+$/.test(value)),
  );
}

/** `path?…` for a list, in the names that `listParameters` reads. */
export function listHref(
  path: string,
  query: ListQuery,
  page: { view?: ListLook; deletedBatch?: string } = {},
): string {
  let { search, sort, size, next, previous, kind, contentType: type, from, to, minBytes, maxBytes } = query;
  let values = {
    _search: search,
    [sort?.descending ? "_sort_desc" : "_sort"]: sort?.column,
    _size: size,
    _next: next,
    _prev: previous,
    kind,
    content_type: type,
    from,
    to,
    min_size: minBytes,
    max_size: maxBytes,
    view: page.view === "grid" ? "grid" : undefined,
    _deleted: page.deletedBatch,
  };
  let parameters = new URLSearchParams();
  for (let [name, value] of Object.entries(values)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

/** The same list from its start. */
export function withoutPlace(query: ListQuery): ListQuery {
  let rest = { ...query };
  delete rest.next;
  delete rest.previous;
  return rest;
}

/** The same list as one whole. */
export function allPages(query: ListQuery): WholeList {
  let rest = withoutPlace(query);
  delete rest.size;
  return rest;
}

/** Whether anything is left out of the list. */
export function isNarrowed(query: ListQuery): boolean {
  let filters = allPages(query);
  delete filters.sort;
  return Object.keys(filters).length > 0;
}

/** Only the keys that have a value. */
function present(values: { [Key in keyof ListQuery]: ListQuery[Key] | undefined }): ListQuery {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
