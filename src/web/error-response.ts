import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";

import { ErrorFragment } from "../../views/fragments/error.tsx";
import { ErrorPage } from "../../views/pages/error.tsx";
import { AppError, ERROR_CODES, toAppError } from "../errors.ts";
import type { ErrorCode, ErrorDetails } from "../errors.ts";
import type { WebContext } from "./env.ts";
import { errorView } from "./error-view.ts";
import { json } from "./json.ts";
import { formOf } from "./negotiate.ts";
import type { SiteFor } from "./site.ts";

const firstServerStatus = 500;

/** The `error` of the public shape. */
export type PublicError = { code: string; message: string } & ErrorDetails;

interface Extra {
  /** For answers that HTTP has a status for and the table has not (412, 416). */
  status?: ContentfulStatusCode;
  headers?: Record<string, string>;
  /** More keys at the top level of the JSON body. */
  body?: object;
  /** The log has it already. */
  logged?: boolean;
}

export type ErrorResponder = (
  context: WebContext,
  thrown: unknown,
  extra?: Extra,
) => Response | Promise<Response>;

/** What a client may know of an error: a 5xx tells the table's sentence and nothing of its own. */
export function publicError(error: AppError): PublicError {
  let { code, details } = error;
  if (!isServerFault(error)) return { code, message: error.message, ...details };
  let file = details.filename === undefined ? {} : { filename: details.filename };
  return { code, message: ERROR_CODES[code].sentence, ...file };
}

/**
 * The only place that makes a failure into an answer: status, shape, headers, and the log line of a 5xx.
 * @param onFailure hears of each
 */
export function createErrorResponder(siteFor: SiteFor, onFailure: (code: ErrorCode) => void): ErrorResponder {
  return (context, thrown, extra = {}) => {
    let error = translate(thrown);
    onFailure(error.code);
    if (!extra.logged) logServerFault(context, error);
    // 460 is of tus alone, and hono does not know it.
    let status = extra.status ?? (error.facts.status as ContentfulStatusCode);
    let headers = { ...headersOf(error), ...extra.headers };
    let requestId = context.var.requestId;
    let form = formOf(context, "json");
    if (form === "json") {
      let body = { success: false, error: publicError(error), ...extra.body, request_id: requestId };
      return json(context, body, status, headers);
    }
    let view = errorView(publicError(error), status, requestId);
    if (form === "page") {
      return context.html(ErrorPage({ site: siteFor(context), error: view }), status, headers);
    }
    // Whatever part of the page was asked for, a failure belongs to the notices.
    return context.html(ErrorFragment({ error: view }), status, {
      ...headers,
      "HX-Retarget": "#notices",
      "HX-Reswap": "innerHTML",
    });
  };
}

/** A 5xx goes to the log with its cause; also for a file that failed beside others that did not. */
export function logServerFault(context: WebContext, error: AppError): void {
  if (!isServerFault(error)) return;
  let { log } = context.var;
  let facts = { err: error, code: error.code, path: context.req.path };
  if (context.req.raw.signal.aborted) return log.info(facts, "request failed after its client had gone");
  // Said by the limit itself: nothing has failed.
  if (error.code === "storage_full") return log.warn({ path: facts.path, reason: error.message }, "no room");
  if (error.facts.retryAfterSeconds !== undefined) return log.warn(facts, "request failed for now");
  log.error(facts, "request failed");
}

function isServerFault(error: AppError): boolean {
  return error.facts.status >= firstServerStatus;
}

/** Hono's own exceptions (its validator, on a body that can't be read) speak of the request. */
function translate(thrown: unknown): AppError {
  if (thrown instanceof HTTPException && thrown.status < firstServerStatus) {
    return new AppError("bad_request", undefined, { cause: thrown });
  }
  return toAppError(thrown);
}

function headersOf(error: AppError): Record<string, string> {
  let headers: Record<string, string> = {};
  let seconds = error.details.retry_after_seconds ?? error.facts.retryAfterSeconds;
  if (seconds !== undefined) headers["Retry-After"] = String(seconds);
  if (error.code === "authentication_required") headers["WWW-Authenticate"] = "Bearer";
  // A sender that stands still would hold its connection for as long as it likes.
  if (error.code === "upload_stalled") headers["Connection"] = "close";
  return headers;
}
