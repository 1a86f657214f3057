import type { FileRecord, StorageName } from "../domain.ts";
import { AppError } from "../errors.ts";
import type { Storage } from "../store/storage.ts";
import { KIB } from "../units.ts";
import { isNotModified, isOther, rangeApplies } from "./conditional.ts";
import type { Validators } from "./conditional.ts";
import { contentDisposition } from "./content-disposition.ts";
import { withoutIdleTimeout } from "./env.ts";
import type { WebContext } from "./env.ts";
import type { ErrorResponder } from "./error-response.ts";
import { mayShowInline } from "./inline-types.ts";
import { parseRange } from "./range.ts";
import { forSlowReaders } from "./slow-readers.ts";

/** A presigned URL is used at once; what is shared for longer is our own address. */
const presignedSeconds = 300;
/**
 * Bun leaves the Content-Length of a stream out (oven-sh/bun#10507), so that nobody sees how long it will take. Up to
 * here the bytes are sent whole, with their length: no more than a stream holds of a local file in one read.
 */
const wholeBytes = 256 * KIB;

export interface DownloadDeps {
  /** The storage that holds a row's object, which need not be the configured one. */
  storageFor: (place: { storage: StorageName; bucket: string }) => Storage;
  /** `redirect` sends the client to the bucket where storage can presign. */
  mode: "redirect" | "proxy";
  errorResponse: ErrorResponder;
}

/**
 * Answers GET and HEAD for a file's bytes: validators and a single range, as RFC 9110 has them. Several ranges give the
 * whole, none that is there gives 416. What might run in a browser is an attachment, and all of it is sandboxed.
 */
export async function download(
  context: WebContext,
  record: FileRecord,
  deps: DownloadDeps,
): Promise<Response> {
  let request = context.req.raw;
  let validators = validatorsOf(record);
  let headers = headersOf(record, validators);
  if (isOther(request.headers, validators)) return notMatching(context, deps.errorResponse);
  if (isNotModified(request.headers, validators)) return new Response(null, { status: 304, headers });

  let isHead = request.method === "HEAD";
  let wanted = isHead || !rangeApplies(request.headers, validators) ? undefined : context.req.header("Range");
  let range = parseRange(wanted, record.size_bytes);
  if (range === "unsatisfiable") return notSatisfiable(context, record, deps.errorResponse);
  if (isHead) {
    return new Response(null, { headers: { ...headers, "Content-Length": String(record.size_bytes) } });
  }

  let storage = deps.storageFor(record);
  let part = range === "whole" ? undefined : range;
  let found = await withoutIdleTimeout(context, async () => {
    let url = deps.mode === "redirect" ? await presigned(storage, record, headers) : null;
    return url ?? (await storage.open(record.s3_key, part, request.signal));
  });
  if (typeof found === "string") return redirect(found);
  if (found.sizeBytes !== record.size_bytes) {
    await found.body.cancel().catch(() => {});
    throw new AppError(
      "storage_error",
      `${record.s3_key} has ${found.sizeBytes} bytes in storage, not as recorded.`,
    );
  }
  let bytes = part ? part.last - part.first + 1 : record.size_bytes;
  let stream = forSlowReaders(context, found.body, bytes);
  return new Response(bytes > wholeBytes ? stream : await new Response(stream).bytes(), {
    status: part ? 206 : 200,
    headers: {
      ...headers,
      "Content-Length": String(bytes),
      ...(part && { "Content-Range": `bytes ${part.first}-${part.last}/${record.size_bytes}` }),
    },
  });
}

function presigned(storage: Storage, record: FileRecord, headers: ReturnType<typeof headersOf>) {
  return storage.presign(record.s3_key, {
    expiresSeconds: presignedSeconds,
    contentType: headers["Content-Type"],
    contentDisposition: headers["Content-Disposition"],
  });
}

function validatorsOf(record: FileRecord): Validators {
  return {
    etag: `"${record.checksum_sha256}"`,
    lastModified: new Date(record.created_at).toUTCString(),
  };
}

function headersOf(record: FileRecord, { etag, lastModified }: Validators) {
  let type = record.content_type;
  let kind = mayShowInline(type) ? ("inline" as const) : ("attachment" as const);
  return {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
    "Content-Disposition": contentDisposition(kind, record.filename),
    "Content-Type": servedType(type),
    // What a browser's own viewers need for a picture, a film or a text, and nothing that could run.
    "Content-Security-Policy": policyFor(type),
    "Cross-Origin-Resource-Policy": "same-origin",
    ETag: etag,
    "Last-Modified": lastModified,
    "X-Content-Type-Options": "nosniff",
    // As frame-ancestors: a page of ours may show a document.
    "X-Frame-Options": "SAMEORIGIN",
  };
}

/**
 * Our pages may load scripts and styles of our own origin: an uploaded one must never count as such, were somebody to
 * smuggle an address into a page. With nosniff neither is loaded as plain text.
 */
function servedType(type: string): string {
  let isLoadable = /^(?:text|application)\/(?:(?:x-)?(?:java|ecma|live|j)script|css)/.test(type);
  if (isLoadable) return "text/plain; charset=utf-8";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

/**
 * Nothing of ours is within reach, whatever the file turns out to be. A browser's own player asks for the film again,
 * and from a sandbox without an origin that request is another site's, which Cross-Origin-Resource-Policy and the cookie
 * forbid; film and sound have no way to run anything, so they keep their origin.
 */
function policyFor(type: string): string {
  let isPlayed = mayShowInline(type) && /^(video|audio)\//.test(type);
  return `${contentPolicy}; sandbox${isPlayed ? " allow-same-origin" : ""}`;
}

const contentPolicy =
  "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** The address in it opens the file for whoever has it, so nobody may keep the answer. */
function redirect(url: string): Response {
  return new Response(null, {
    status: 302,
    headers: { Location: url, "Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer" },
  });
}

function notMatching(context: WebContext, errorResponse: ErrorResponder) {
  let error = new AppError("invalid_parameter", "The file is not the one that the request names.", {
    details: { parameter: context.req.header("If-Match") === undefined ? "If-Unmodified-Since" : "If-Match" },
  });
  return errorResponse(context, error, { status: 412 });
}

/** HTTP has a status of its own for this; the shape is that of every failure. */
function notSatisfiable(context: WebContext, record: FileRecord, errorResponse: ErrorResponder) {
  let error = new AppError("invalid_parameter", "The file has no bytes in that range.", {
    details: { parameter: "Range", limit_bytes: record.size_bytes },
  });
  return errorResponse(context, error, {
    status: 416,
    headers: { "Content-Range": `bytes */${record.size_bytes}`, "Accept-Ranges": "bytes" },
  });
}
