import { Hono } from "hono";
import { createMiddleware } from "hono/factory";

import type { Access } from "../auth/access.ts";
import { AppError } from "../errors.ts";
import { parseUploadMetadata } from "../parse/upload-metadata.ts";
import { watchSender } from "../parse/watch-sender.ts";
import { noSuchUpload, type Resumable, type ResumableStatus } from "../resume/resumable.ts";
import type { Accounts, WebOptions } from "./deps.ts";
import { withoutIdleTimeout } from "./env.ts";
import type { WebContext, WebEnv } from "./env.ts";
import type { ErrorResponder } from "./error-response.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import { formOf } from "./negotiate.ts";
import { requesterOf } from "./requester.ts";
import { isSender, refuseGone, resumableSender } from "./sender.ts";
import {
  announcedLength,
  bodyBytes,
  checksumAlgorithms,
  optionalCount,
  parseChecksum,
  refuseOtherBodies,
  requireCount,
  statusHeaders,
  tusExtensions,
  tusStatuses,
  tusVersion,
} from "./tus-headers.ts";
import { uploadAnswer } from "./upload-answer.ts";
import { withoutOther, withoutOthers } from "./without-others.ts";

/** For a sender that stood still, by the time it hears of it. */
const stalledRetrySeconds = 1;
const uploadPath = "/tus/:id{[0-9A-Fa-f-]+}";

interface TusDeps {
  requires: Access["requires"];
  resumable: Pick<Resumable, "create" | "senderOf" | "status" | "append" | "terminate">;
  links: Links;
  errorResponse: ErrorResponder;
  accounts: Pick<Accounts, "tokens" | "users">;
  options: Pick<WebOptions, "stallTimeoutMs" | "minBytesPerSecond" | "maxFileBytes">;
}

type Handler = (context: WebContext) => Promise<Response>;

/** Whatever is answered, also by those who let nobody as far as the routes, says which tus it is. */
export const saysTusVersion = createMiddleware<WebEnv>(async (context, next) => {
  await next();
  context.res.headers.set("Tus-Resumable", tusVersion);
});

/** The resumable way in, for every client of tus 1.0.0; below `saysTusVersion`. */
export function tusRoutes(deps: TusDeps) {
  let { requires, errorResponse, options } = deps;
  let routes = new Hono<WebEnv>();
  let handlers = createHandlers(deps);

  let speaksOurVersion = createMiddleware<WebEnv>(async (context, next) => {
    let { method, headers } = context.req.raw;
    // A plain GET is no request of tus: a person or a program looks where an upload stands.
    if (method === "GET" || headers.get("Tus-Resumable") === tusVersion) return await next();
    let error = new AppError("unsupported_version", `Tus-Resumable must be ${tusVersion}.`);
    return errorResponse(context, error, { headers: { "Tus-Version": tusVersion } });
  });

  let answering = (handle: Handler): Handler => {
    return async (context) => {
      try {
        return await handle(context);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code !== "duplicate" && error.code !== "upload_stalled") throw error;
        let told = withoutOther(error, context.var.identity);
        let status = tusStatuses[error.code];
        let headers = status === 503 ? { "Retry-After": String(stalledRetrySeconds) } : {};
        return errorResponse(context, told, { status, headers });
      }
    };
  };
  let guards = [requires("upload"), speaksOurVersion] as const;

  for (let path of ["/tus", uploadPath]) {
    routes.options(path, (context) =>
      context.body(null, 204, {
        "Tus-Version": tusVersion,
        "Tus-Extension": tusExtensions,
        "Tus-Checksum-Algorithm": checksumAlgorithms,
        "Tus-Max-Size": String(options.maxFileBytes),
      }),
    );
  }
  routes.post("/tus", ...guards, answering(handlers.create));
  // HEAD as well: it is answered like GET, without the body.
  routes.get(uploadPath, ...guards, answering(handlers.show));
  routes.patch(uploadPath, ...guards, answering(handlers.append));
  routes.delete(uploadPath, ...guards, answering(handlers.terminate));
  routes.post(uploadPath, ...guards, answering(handlers.override));
  return routes;
}

function createHandlers({ resumable, links, accounts, options }: TusDeps) {
  let { stallTimeoutMs, minBytesPerSecond } = options;

  /** The upload that the address names; others' uploads are not there. */
  function ownUpload(context: WebContext): string {
    let uid = context.req.param("id")?.toLowerCase() ?? "";
    if (isSender(context.var.identity, resumable.senderOf(uid))) return uid;
    throw new AppError("not_found", noSuchUpload);
  }

  function appendTo(context: WebContext, uid: string, offsetBytes: number, lengthBytes: number | null) {
    let request = context.req.raw;
    let piece = {
      offsetBytes,
      lengthBytes,
      mostBytes: bodyBytes(request),
      checksum: parseChecksum(request.headers.get("Upload-Checksum")),
      body: (signal: AbortSignal) => watchSender(request.body, { stallTimeoutMs, minBytesPerSecond, signal }),
      refuse: refuseGone(accounts, context.var.identity),
      signal: request.signal,
      log: context.var.log,
    };
    return withoutIdleTimeout(context, () => resumable.append(uid, piece));
  }

  /** The file, to whoever asks for JSON; to others its headers say enough. */
  function respond(
    context: WebContext,
    status: ResumableStatus,
    bare: 201 | 204,
    headers: Record<string, string> = {},
  ): Response {
    let all = { ...statusHeaders(status, links), ...headers };
    let { finished } = status;
    if (!finished || formOf(context, "page") !== "json") return context.body(null, bare, all);
    let outcome = withoutOthers({ success: true, ...finished }, context.var.identity);
    let answer = uploadAnswer([outcome], links);
    if ("error" in answer) throw answer.error;
    return json(context, answer.body, bare === 201 ? 201 : 200, all);
  }

  async function create(context: WebContext): Promise<Response> {
    let request = context.req.raw;
    let { headers } = request;
    let hasBody = bodyBytes(request) !== 0;
    if (hasBody || headers.has("Content-Type")) refuseOtherBodies(request);
    let lengthBytes = announcedLength(headers);
    let clientMetadata = headers.get("Upload-Metadata") ?? "";
    let sender = { ...resumableSender(context.var.identity), by: requesterOf(context) };
    let file = { ...parseUploadMetadata(clientMetadata), lengthBytes, clientMetadata, ...sender };
    let created = await resumable.create(file);
    let status = hasBody || lengthBytes === 0 ? await appendFirst(context, created.uid) : created;
    return respond(context, status, 201, { Location: links.absolute(links.ofUpload(created.uid)) });
  }

  /** When this fails nobody is told where the upload is, so it can't go on. */
  async function appendFirst(context: WebContext, uid: string): Promise<ResumableStatus> {
    try {
      return await appendTo(context, uid, 0, null);
    } catch (error) {
      await resumable.terminate(uid).catch(() => {});
      throw error;
    }
  }

  async function show(context: WebContext): Promise<Response> {
    // Whoever just looks, by a plain GET, is in nobody's way.
    let resuming = context.req.raw.headers.has("Tus-Resumable");
    // It may wait for a file that is being finished.
    let uid = ownUpload(context);
    let status = await withoutIdleTimeout(context, () => resumable.status(uid, resuming));
    let headers = statusHeaders(status, links);
    let { offsetBytes, lengthBytes, finished } = status;
    let file = finished ? { file_id: finished.record.id, url: headers["S3-Uploads-File-Url"] } : {};
    let body = { success: true, offset: offsetBytes, length: lengthBytes, ...file };
    return json(context, body, 200, headers);
  }

  async function append(context: WebContext): Promise<Response> {
    let request = context.req.raw;
    refuseOtherBodies(request);
    let offsetBytes = requireCount(request.headers, "Upload-Offset");
    let lengthBytes = optionalCount(request.headers, "Upload-Length");
    return respond(context, await appendTo(context, ownUpload(context), offsetBytes, lengthBytes), 204);
  }

  async function terminate(context: WebContext): Promise<Response> {
    await withoutIdleTimeout(context, () => resumable.terminate(ownUpload(context)));
    return context.body(null, 204);
  }

  /** For clients and proxies that know no PATCH. */
  function override(context: WebContext): Promise<Response> {
    let meant = context.req.header("X-HTTP-Method-Override")?.toUpperCase();
    if (meant === "PATCH") return append(context);
    if (meant === "DELETE") return terminate(context);
    if (meant === "HEAD") return show(context);
    throw new AppError("method_not_allowed", "A POST to an upload needs X-HTTP-Method-Override: PATCH.");
  }

  return { create, show, append, terminate, override };
}
