import { zValidator } from "@hono/zod-validator";
import { z } from "zod";

import { FILE_KINDS } from "../domain.ts";
import { AppError } from "../errors.ts";
import { SORT_COLUMNS } from "../record/file-repository.ts";
import type { ListQuery, WholeList } from "../record/file-repository.ts";
import { parseSize } from "./sizes.ts";

const maxSearchChars = 500;
const maxTokenChars = 2000;
const maxPageRows = 1000;
const maxSizeChars = 40;

export type ListLook = "table" | "grid";

/** A list as its address asks for it. */
export interface ListRequest {
  query: ListQuery;
  view: ListLook;
  /** The deletion whose undo is offered above the list, or null. */
  deletedBatch: string | null;
}

const sortColumn = z.enum(SORT_COLUMNS);
const pageRows = z.number().min(1).max(maxPageRows);
const contentType = z
  .string()
  .regex(/^[\w.+-]{1,100}\/([\w.+-]{1,100}|\*)$/, "must be like image/png or image/*");
const day = z.string().refine(isDay, "must be a day like 2026-11-23");
const bytes = z
  .string()
  .max(maxSizeChars)
  .transform((text, check) => {
    let size = parseSize(text);
    if (size !== null) return size;
    check.addIssue({ code: "custom", message: "must be a size like 500 KB, 10 MB or 1.5 GB" });
    return z.NEVER;
  });

/** A field of a search form that was left empty says nothing. */
export function absentWhenBlank(value: unknown): unknown {
  return typeof value === "string" && value.trim() === "" ? undefined : value;
}

function optional<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess(absentWhenBlank, schema.optional());
}

const listSchema = z
  .object({
    _search: optional(z.string().max(maxSearchChars)),
    _sort: optional(sortColumn),
    _sort_desc: optional(sortColumn),
    _size: optional(z.string().regex(/^\d+$/, "must be a number").transform(Number).pipe(pageRows)),
    _next: optional(z.string().max(maxTokenChars)),
    _prev: optional(z.string().max(maxTokenChars)),
    _deleted: optional(z.uuid()),
    kind: optional(z.enum(FILE_KINDS)),
    content_type: optional(z.string().trim().toLowerCase().pipe(contentType)),
    from: optional(day),
    to: optional(day),
    min_size: optional(bytes),
    max_size: optional(bytes),
    view: optional(z.enum(["table", "grid"])),
  })
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

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  let date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Only the keys that have a value. */
function present(values: { [Key in keyof ListQuery]: ListQuery[Key] | undefined }): ListQuery {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

export function invalidParameter(issue: { path: PropertyKey[]; message: string } | undefined): AppError {
  let parameter = String(issue?.path[0] ?? "query");
  return new AppError("invalid_parameter", `${parameter}: ${issue?.message ?? "can't be used"}.`, {
    details: { parameter },
  });
}
