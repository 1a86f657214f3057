import { AppError, type ErrorCode } from "../errors.ts";
import type { Checksum } from "../resume/receive.ts";
import type { ResumableStatus } from "../resume/resumable.ts";
import type { Links } from "./links.ts";

/** tus 1.0.0, read and written: https://tus.io/protocols/resumable-upload */
export const tusVersion = "1.0.0";
export const tusExtensions =
  "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum";
export const checksumAlgorithms = "sha1,sha256";
export const pieceType = "application/offset+octet-stream";
/** Failures that have another status here, since clients of tus go by it. */
export const tusStatuses = {
  // A 409 is a wrong offset to them: they would send the whole file again until they tire.
  duplicate: 422,
  // A 4xx ends the upload for most of them, and this one can go on where it was.
  upload_stalled: 503,
} as const satisfies Partial<Record<ErrorCode, number>>;

const count = /^\d+$/;
const digestBytes = { sha1: 20, sha256: 32 } as const;
const checksumPattern = /^(\S+) ([A-Za-z0-9+/]+={0,2})$/;

/** @throws AppError bad_request unless it is there and a count */
export function requireCount(headers: Headers, name: string): number {
  let found = optionalCount(headers, name);
  if (found === null) throw badHeader(name, `${name} is missing.`);
  return found;
}

export function optionalCount(headers: Headers, name: string): number | null {
  let value = headers.get(name);
  if (value === null) return null;
  if (!count.test(value)) throw badHeader(name, `${name} must be a number of bytes.`);
  // What is too large to be exact is too large for any file as well, and to be refused as that.
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}

/**
 * Bytes of the whole file; null for `Upload-Defer-Length: 1`.
 * @throws AppError bad_request, also for a part of a file that is to be joined from several uploads
 */
export function announcedLength(headers: Headers): number | null {
  if (headers.has("Upload-Concat")) {
    throw badHeader("Upload-Concat", "Concatenation is not offered: send the file as one upload.");
  }
  let deferred = headers.get("Upload-Defer-Length");
  if (deferred !== null && deferred !== "1") {
    throw badHeader("Upload-Defer-Length", "Upload-Defer-Length can only be 1.");
  }
  if ((deferred === null) === (headers.get("Upload-Length") === null)) {
    throw badHeader("Upload-Length", "Send Upload-Length, or Upload-Defer-Length: 1, and not both.");
  }
  return optionalCount(headers, "Upload-Length");
}

/** Most bytes that the request's body has; null when it does not tell. */
export function bodyBytes({ headers, body }: Request): number | null {
  if (headers.has("Transfer-Encoding")) return null;
  return optionalCount(headers, "Content-Length") ?? (body === null ? 0 : null);
}

/** @throws AppError unsupported_media_type for a body that is no piece of a file; bad_request for an encoded one */
export function refuseOtherBodies({ headers }: Request): void {
  let type = headers.get("Content-Type")?.trim().toLowerCase() ?? "";
  if (type !== pieceType) {
    throw new AppError("unsupported_media_type", `The Content-Type must be ${pieceType}.`);
  }
  let encoding = headers.get("Content-Encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") {
    throw badHeader("Content-Encoding", "Send the bytes as they are: a Content-Encoding is not understood.");
  }
}

/** @throws AppError bad_request for an algorithm that is not offered, or a digest that can't be one of it */
export function parseChecksum(header: string | null): Checksum | null {
  if (header === null) return null;
  let [, algorithm = "", base64 = ""] = checksumPattern.exec(header.trim()) ?? [];
  let digest = Buffer.from(base64, "base64");
  let known: Checksum["algorithm"] | null =
    algorithm === "sha1" || algorithm === "sha256" ? (algorithm as Checksum["algorithm"]) : null;
  if (known === null || digest.byteLength !== digestBytes[known]) {
    let example = "Upload-Checksum must be one of sha1 and sha256, a space, and the digest in base64.";
    throw badHeader("Upload-Checksum", example);
  }
  return { algorithm: known, digest };
}

/** What every answer about an upload says. */
export function statusHeaders(status: ResumableStatus, links: Links): Record<string, string> {
  let { offsetBytes, lengthBytes, clientMetadata, expiresAtMs, finished } = status;
  return {
    "Upload-Offset": String(offsetBytes),
    ...(lengthBytes === null ? { "Upload-Defer-Length": "1" } : { "Upload-Length": String(lengthBytes) }),
    ...(clientMetadata === "" ? {} : { "Upload-Metadata": clientMetadata }),
    "Upload-Expires": new Date(expiresAtMs).toUTCString(),
    "Cache-Control": "no-store",
    ...(finished
      ? {
          "S3-Uploads-File-Id": String(finished.record.id),
          "S3-Uploads-File-Url": links.absolute(links.ofFile(finished.record.id).download),
        }
      : {}),
  };
}

function badHeader(name: string, message: string): AppError {
  return new AppError("bad_request", message, { details: { parameter: name } });
}
