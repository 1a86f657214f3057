/**
 * The one error class and the one table of codes. Vendor errors (S3, SQLite, zod, file system) are translated into an
 * AppError where they enter; web/ turns an AppError into a response and nothing else does.
 */

interface CodeFacts {
  status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 410 | 412 | 413 | 415 | 429 | 460 | 500 | 502 | 503 | 507;
  /** What a person reads when the thrower has nothing better to say; for 5xx the only thing they read. */
  sentence: string;
  /** Seconds for Retry-After; only where a retry makes sense. */
  retryAfterSeconds?: number;
}

export const ERROR_CODES = {
  bad_request: { status: 400, sentence: "The request could not be understood." },
  malformed_multipart: { status: 400, sentence: "The form data is broken or incomplete." },
  no_file: { status: 400, sentence: "The request holds no file." },
  invalid_filename: { status: 400, sentence: "The file name can't be used." },
  invalid_parameter: { status: 400, sentence: "A parameter has a value that can't be used." },
  authentication_required: { status: 401, sentence: "Sign in or send an access token." },
  permission_denied: { status: 403, sentence: "You may not do this." },
  cross_site_request: { status: 403, sentence: "The request came from another web site and was refused." },
  untrusted_host: { status: 403, sentence: "This server does not answer to that host name." },
  not_found: { status: 404, sentence: "There is nothing here." },
  method_not_allowed: { status: 405, sentence: "That method is not allowed here." },
  upload_stalled: { status: 408, sentence: "The upload stood still for too long." },
  duplicate: { status: 409, sentence: "A file with the same content is here already." },
  wrong_offset: { status: 409, sentence: "The upload does not stand at this offset." },
  gone: { status: 410, sentence: "The file's content is no longer in storage." },
  unsupported_version: { status: 412, sentence: "This version of the tus protocol is not spoken here." },
  file_too_large: { status: 413, sentence: "The file is too large." },
  quota_exceeded: { status: 413, sentence: "There is no room left for this file." },
  unsupported_media_type: {
    status: 415,
    sentence: "The request's Content-Type is not the one that works here.",
  },
  type_not_allowed: { status: 415, sentence: "Files of this type are not accepted." },
  type_mismatch: { status: 415, sentence: "The file's content does not match its name or declared type." },
  wrong_checksum: { status: 460, sentence: "The bytes that came are not those of the checksum." },
  too_many_requests: { status: 429, sentence: "Too many requests; try again later.", retryAfterSeconds: 30 },
  internal_error: { status: 500, sentence: "Something went wrong on the server." },
  storage_error: { status: 502, sentence: "The storage refused the file." },
  server_busy: { status: 503, sentence: "The server is busy; try again in a moment.", retryAfterSeconds: 5 },
  storage_unavailable: {
    status: 503,
    sentence: "The storage can't be reached at the moment.",
    retryAfterSeconds: 10,
  },
  storage_full: { status: 507, sentence: "There is no room left for this file." },
  disk_full: { status: 507, sentence: "The server has run out of disk space." },
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts a client can act on; every key is part of the public error shape. */
export interface ErrorDetails {
  filename?: string;
  /** The parameter, header or configuration key at fault. */
  parameter?: string;
  limit_bytes?: number;
  actual_bytes?: number;
  /** The media type or extension that was found, declared, allowed or blocked. */
  found_type?: string;
  declared_type?: string;
  extension?: string;
  allowed?: string[];
  blocked?: string[];
  /** When the limit that was met will let the next request pass; also in Retry-After. */
  retry_after_seconds?: number;
  /** Id of the file that holds the same bytes. */
  duplicate_of?: number;
}

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /**
   * @param message one plain sentence. A 4xx shows it to the client; a 5xx shows the table's sentence and logs this one.
   */
  constructor(code: ErrorCode, message?: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message ?? ERROR_CODES[code].sentence, { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get facts(): CodeFacts {
    return ERROR_CODES[this.code];
  }

  /** The same error with more details; what was there before stays. */
  with(details: ErrorDetails): AppError {
    let copy = new AppError(this.code, this.message, {
      details: { ...details, ...this.details },
      cause: this.cause,
    });
    if (this.stack) copy.stack = this.stack;
    return copy;
  }
}

/** A definite no of the storage: what it was asked to do has not been done. */
export function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.code === "storage_error";
}

/** Any thrown value as an AppError; what is not one becomes `internal_error` with the original as cause. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError("internal_error", thrown instanceof Error ? thrown.message : String(thrown), {
    cause: thrown,
  });
}
