/** What a client may hold already of a file: its bytes never change, so one strong tag names them. */
export interface Validators {
  /** With its quotes. */
  etag: string;
  /** As in the Last-Modified header. */
  lastModified: string;
}

/** Whether If-Match or, in its absence, If-Unmodified-Since wants something else than this (RFC 9110, 13.2.2). */
export function isOther(headers: Headers, { etag, lastModified }: Validators): boolean {
  let tags = headers.get("If-Match");
  if (tags !== null) return !tagsOf(tags).some((tag) => tag === "*" || tag === etag);
  let since = Date.parse(headers.get("If-Unmodified-Since") ?? "");
  return !Number.isNaN(since) && Date.parse(lastModified) > since;
}

/** Whether If-None-Match or, in its absence, If-Modified-Since says that the client has it (RFC 9110, 13.2.2). */
export function isNotModified(headers: Headers, { etag, lastModified }: Validators): boolean {
  let tags = headers.get("If-None-Match");
  if (tags !== null) return tagsOf(tags).some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag);
  let since = Date.parse(headers.get("If-Modified-Since") ?? "");
  return !Number.isNaN(since) && Date.parse(lastModified) <= since;
}

/** Whether a Range header counts: a client that holds a part of something else gets the whole. */
export function rangeApplies(headers: Headers, { etag, lastModified }: Validators): boolean {
  let held = headers.get("If-Range");
  return held === null || held === etag || held === lastModified;
}

function tagsOf(header: string): string[] {
  return header.split(",").map((tag) => tag.trim());
}
