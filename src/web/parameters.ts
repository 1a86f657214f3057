import { zValidator } from "@hono/zod-validator";
import { z } from "zod";

import { FILE_KINDS } from "../domain.ts";
import { AppError } from "../errors.ts";
import { SORT_COLUMNS } from "../record/file-repository.ts";
import type { ListQuery } from "../record/file-repository.ts";

const maxSearchChars = 500;
const maxTokenChars = 2000;
const maxPageRows = 1000;
const maxIdempotencyKeyChars = 255;

const sortColumn = z.enum(SORT_COLUMNS);
const pageRows = z.number().min(1).max(maxPageRows);
const contentType = z
  .string()
  .regex(/^[\w.+-]{1,100}\/([\w.+-]{1,100}|\*)$/, "must be like image/png or image/*");

/** A field of a search form that was left empty says nothing. */
function absentWhenBlank(value: unknown): unknown {
  return value === "" ? undefined : value;
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
    kind: optional(z.enum(FILE_KINDS)),
    content_type: optional(z.string().toLowerCase().pipe(contentType)),
  })
  .transform(({ _search: search, _sort: up, _sort_desc: down, _size: size, _next: next, ...rest }, check) => {
    if (up !== undefined && down !== undefined) {
      check.addIssue({ code: "custom", path: ["_sort_desc"], message: "can't stand beside _sort" });
    }
    let column = up ?? down;
    let query: ListQuery = {
      ...(search !== undefined && { search }),
      ...(column !== undefined && { sort: { column, descending: down !== undefined } }),
      ...(size !== undefined && { size }),
      ...(next !== undefined && { next }),
      ...(rest.kind !== undefined && { kind: rest.kind }),
      ...(rest.content_type !== undefined && { contentType: rest.content_type }),
    };
    return query;
  });

/** Validates the query of a list; rejects with `invalid_parameter` naming the first parameter at fault. */
export const listParameters = zValidator("query", listSchema, (result) => {
  if (!result.success) throw invalidParameter(result.error.issues[0]);
});

/** `path?…` for a query, in the names that `listParameters` reads. */
export function listHref(path: string, query: ListQuery): string {
  let { search, sort, size, next, kind, contentType: type } = query;
  let values = {
    _search: search,
    [sort?.descending ? "_sort_desc" : "_sort"]: sort?.column,
    _size: size,
    _next: next,
    kind,
    content_type: type,
  };
  let parameters = new URLSearchParams();
  for (let [name, value] of Object.entries(values)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

/** An integer id or a uid; anything else names nothing. */
const idSchema = z.union([
  z
    .string()
    .regex(/^[1-9]\d{0,15}$/)
    .refine((text) => Number.isSafeInteger(Number(text))),
  z
    .string()
    .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
    .toLowerCase(),
]);

/** Validates `:id`; what can't be an id is `not_found`, as an unknown one is. */
export const idParameter = zValidator("param", z.object({ id: idSchema }), (result) => {
  if (!result.success) throw new AppError("not_found", noSuchFile);
});

/** The same where the router's `:id` carries the `.json` of the address. */
export const jsonIdParameter = zValidator(
  "param",
  z.object({
    id: z
      .string()
      .transform((text) => text.replace(/\.json$/, ""))
      .pipe(idSchema),
  }),
  (result) => {
    if (!result.success) throw new AppError("not_found", noSuchFile);
  },
);

/** Ids of a bulk request; each an id or a uid. */
export function parseIds(values: string[]): string[] {
  let ids = z.array(idSchema).safeParse(values);
  if (ids.success) return [...new Set(ids.data)];
  throw new AppError("invalid_parameter", "Each id must be a number or a uid.", {
    details: { parameter: "id" },
  });
}

export const noSuchFile = "There is no such file.";

/** The Idempotency-Key header, or null; rejects with `invalid_parameter` unless it is 1 to 255 printable ASCII characters. */
export function parseIdempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  // A structured-field string, as the IETF draft has it, may stand in quotes; they are a part of the key then.
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(header) && header.length <= maxIdempotencyKeyChars)
    return header;
  throw new AppError(
    "invalid_parameter",
    `Idempotency-Key must be 1 to ${maxIdempotencyKeyChars} printable ASCII characters.`,
    { details: { parameter: "Idempotency-Key" } },
  );
}

function invalidParameter(issue: { path: PropertyKey[]; message: string } | undefined): AppError {
  let parameter = String(issue?.path[0] ?? "query");
  return new AppError("invalid_parameter", `${parameter}: ${issue?.message ?? "can't be used"}.`, {
    details: { parameter },
  });
}
