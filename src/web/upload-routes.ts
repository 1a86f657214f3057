import { Hono } from "hono";
import type { MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

import { UploadResults } from "../../views/fragments/upload-results.tsx";
import { HomePage } from "../../views/pages/home.tsx";
import { UploadedPage } from "../../views/pages/uploaded.tsx";
import type { UploadResultView, UploadRules } from "../../views/props.ts";
import type { Access } from "../auth/access.ts";
import { isAllowed } from "../auth/identity.ts";
import type { Clock } from "../clock.ts";
import type { IncomingFile } from "../domain.ts";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { fileOfRawBody, filesOfForm } from "../parse/upload-request.ts";
import type { RefusedFile } from "../parse/upload-request.ts";
import { watchSender } from "../parse/watch-sender.ts";
import type { ReceiveUpload, UploadOutcome } from "../receive-upload.ts";
import { allowanceView } from "./allowance-view.ts";
import type { Accounts, WebOptions } from "./deps.ts";
import { withoutIdleTimeout } from "./env.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { logServerFault, publicError } from "./error-response.ts";
import type { ErrorResponder } from "./error-response.ts";
import { errorView } from "./error-view.ts";
import { fileView } from "./file-view.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import { formOf } from "./negotiate.ts";
import type { OwnFiles } from "./own-files.ts";
import { parseIdempotencyKey } from "./parameters.ts";
import { createReceipts } from "./receipts.ts";
import type { Receipts } from "./receipts.ts";
import { requesterOf } from "./requester.ts";
import { type RefuseGone, refuseGone, senderContext, senderKey } from "./sender.ts";
import type { SiteFor } from "./site.ts";
import { uploadAnswer } from "./upload-answer.ts";
import { withoutOthers } from "./without-others.ts";

const newestFiles = 10;

interface UploadDeps {
  requires: Access["requires"];
  ownFiles: OwnFiles;
  allowances: Accounts["allowances"];
  tokens: Accounts["tokens"];
  users: Accounts["users"];
  invitations: Pick<Accounts["invitations"], "get">;
  receiveUpload: ReceiveUpload;
  links: Links;
  siteFor: SiteFor;
  errorResponse: ErrorResponder;
  clock: Clock;
  metrics: Pick<Metrics, "failed">;
  options: Pick<WebOptions, "stallTimeoutMs" | "minBytesPerSecond"> & UploadRules;
}

type InnerDeps = UploadDeps & { receipts: Receipts };

/** The upload page and the two ways in: a form with any number of files, and a bare body. */
export function uploadRoutes(deps: UploadDeps) {
  let { ownFiles, requires, links, siteFor, options } = deps;
  let receipts = createReceipts(deps.clock);
  let inner = { ...deps, receipts };
  let routes = new Hono<WebEnv>();

  /** Whoever may only look has come to the right place one link further on; signing in leads here. */
  let viewersToFiles: MiddlewareHandler<WebEnv> = async (context, next) => {
    let { may } = siteFor(context);
    return may.view && !may.upload ? context.redirect(links.files) : await next();
  };

  routes.get("/", viewersToFiles, requires("upload"), async (context) => {
    let site = siteFor(context);
    let { identity } = context.var;
    let newest = site.may.view ? (await ownFiles.seenBy(identity).list({ size: newestFiles })).rows : [];
    let files = newest.map((row) => fileView(row, links));
    let allowance = allowanceView(identity, deps);
    let maxFileBytes = Math.min(options.maxFileBytes, allowance?.leftBytes ?? options.maxFileBytes);
    return context.html(HomePage({ site, files, rules: { ...options, maxFileBytes }, allowance }));
  });

  routes.get("/uploaded/:receipt", requires("upload"), (context) => {
    let results = receipts.find(context.req.param("receipt"));
    if (results === null) {
      throw new AppError(
        "not_found",
        "What became of that upload is not remembered any more; see the files.",
      );
    }
    return context.html(UploadedPage({ site: siteFor(context), results }));
  });

  routes.post("/upload", requires("upload"), (context) =>
    // The length of a form proves nothing about any one of its files: each is counted as it comes.
    receive(context, inner, (request) => filesOfForm(request, watched(request, options))),
  );

  routes.put("/upload/:filename", requires("upload"), (context) =>
    receive(context, inner, (request) => {
      let file = fileOfRawBody(request, watched(request, options));
      refuseDeclaredTooLarge(file, options.maxFileBytes);
      return only(file);
    }),
  );

  return routes;
}

type Files = AsyncIterable<IncomingFile | RefusedFile>;

/** Nothing is read, and Bun's idle timer stays on, until `filesOf` has accepted what the headers say. */
async function receive(
  context: WebContext,
  deps: InnerDeps,
  filesOf: (request: Request) => Files,
): Promise<Response> {
  let request = context.req.raw;
  let key = parseIdempotencyKey(context.req.header("Idempotency-Key"));
  // Two senders may think of the same key.
  let idempotencyKey = key === null ? null : `${senderKey(context.var.identity)} ${key}`;
  let { log, identity } = context.var;
  let sender = senderContext(identity, deps.allowances);
  let files = endingWith(filesOf(request), refuseGone(deps, identity));
  let outcomes = await withoutIdleTimeout(context, () =>
    deps.receiveUpload(files, {
      signal: request.signal,
      idempotencyKey,
      log,
      by: requesterOf(context),
      ...sender,
    }),
  );
  return respond(
    context,
    outcomes.map((outcome) => withoutOthers(outcome, identity)),
    deps,
  );
}

function respond(context: WebContext, outcomes: UploadOutcome[], deps: InnerDeps) {
  let { links, receipts, errorResponse, metrics } = deps;
  let answer = uploadAnswer(outcomes, links);
  let form = formOf(context, "json");
  if ("error" in answer && outcomes.length === 1 && form !== "page") throw answer.error;

  let failures = outcomes.filter((outcome) => !outcome.success);
  for (let { error } of failures) logServerFault(context, error);
  // The first one is counted with the answer that it becomes.
  let isAnswer = "error" in answer && form === "json";
  for (let { error } of failures.slice(isAnswer ? 1 : 0)) metrics.failed(error.code);
  let stalled = failures.some(({ error }) => error.code === "upload_stalled");
  let headers: Record<string, string> = stalled ? { Connection: "close" } : {};
  if (form === "json") {
    if (!("error" in answer)) return json(context, answer.body, answer.status, headers);
    return errorResponse(context, answer.error, { body: { files: answer.files }, headers, logged: true });
  }
  let status = "error" in answer ? (answer.error.facts.status as ContentfulStatusCode) : answer.status;
  let results = outcomes.map((outcome) => resultView(context, outcome, links));
  if (form === "page") return context.redirect(links.uploaded(receipts.keep(results)), 303);
  return context.html(UploadResults({ results, mayView: isAllowed(context.var.identity, "view") }), status, {
    ...headers,
    "HX-Trigger": "filesChanged",
  });
}

function resultView(context: WebContext, outcome: UploadOutcome, links: Links): UploadResultView {
  if (outcome.success) {
    let { record, duplicateOf } = outcome;
    let duplicate = duplicateOf === null ? null : { id: duplicateOf, href: links.ofFile(duplicateOf).page };
    return { success: true, file: fileView(record, links), duplicateOf: duplicate };
  }
  let { filename, error } = outcome;
  let view = errorView(publicError(error), error.facts.status, context.var.requestId);
  return { success: false, filename, error: view };
}

function watched(request: Request, { stallTimeoutMs, minBytesPerSecond }: UploadDeps["options"]) {
  return watchSender(request.body, { stallTimeoutMs, minBytesPerSecond, signal: request.signal });
}

function refuseDeclaredTooLarge({ filename, declaredBytes }: IncomingFile, maxFileBytes: number): void {
  if (declaredBytes === null || declaredBytes <= maxFileBytes) return;
  throw new AppError("file_too_large", undefined, {
    details: { filename, limit_bytes: maxFileBytes, actual_bytes: declaredBytes },
  });
}

async function* endingWith(files: Files, refuse: RefuseGone): Files {
  yield* files;
  refuse();
}

async function* only(file: IncomingFile): Files {
  yield file;
}
