import { AppError } from "../errors.ts";
import type { ListQuery, SortColumn } from "./file-repository.ts";

/** The last row of a page (or the first, for the page before): its value in the sort column, and its id. */
export interface Cursor {
  value: string | number | null;
  id: number;
}

/** More than the longest value that a sort column can hold. */
const maxTokenCharacters = 16_384;

/** Changes with everything but the page size, which may differ from page to page. */
export function queryFingerprint(
  query: ListQuery,
  sort: { column: SortColumn; descending: boolean },
): string {
  let words = query.search?.split(/\s+/).filter(Boolean) ?? [];
  let { kind, contentType, from, to, minBytes, maxBytes, keyPrefix } = query;
  let filters = [kind, contentType, from, to, minBytes, maxBytes].map((value) => value ?? null);
  let parts = [sort.column, sort.descending, words, filters, ...(keyPrefix === undefined ? [] : [keyPrefix])];
  return Bun.hash(JSON.stringify(parts)).toString(36);
}

export function encodePageToken(fingerprint: string, cursor: Cursor): string {
  return Buffer.from(JSON.stringify([fingerprint, cursor.value, cursor.id])).toString("base64url");
}

/**
 * Throws `invalid_parameter` for a token that is broken or comes from another query.
 * @param parameter the one it came in
 */
export function decodePageToken(
  token: string,
  fingerprint: string,
  column: SortColumn,
  parameter: "_next" | "_prev",
): Cursor {
  let badToken = (what: string) =>
    new AppError("invalid_parameter", `The page token ${what} Begin with the first page again.`, {
      details: { parameter },
    });
  let parsed =
    token.length <= maxTokenCharacters ? parseJson(Buffer.from(token, "base64url").toString()) : null;
  if (!Array.isArray(parsed) || parsed.length !== 3) throw badToken("is not one that this server gave.");
  let [from, value, id]: unknown[] = parsed;
  if (from !== fingerprint) throw badToken("belongs to a list with another search, order or filter.");
  if (typeof id !== "number" || !Number.isSafeInteger(id) || !fits(column, value)) {
    throw badToken("is not one that this server gave.");
  }
  return { value, id };
}

function fits(column: SortColumn, value: unknown): value is Cursor["value"] {
  if (column === "id" || column === "size_bytes") return Number.isSafeInteger(value);
  return typeof value === "string" || (column === "taken_at" && value === null);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
