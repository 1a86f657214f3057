import { Hono } from "hono";

import { DeletedFragment } from "../../views/fragments/deleted.tsx";
import { ConfirmDeletePage } from "../../views/pages/confirm-delete.tsx";
import { DeletedPage } from "../../views/pages/deleted.tsx";
import type { Access } from "../auth/access.ts";
import type { FileRecord } from "../domain.ts";
import { AppError, toAppError } from "../errors.ts";
import { formFields } from "./bounded-body.ts";
import type { WebDeps } from "./deps.ts";
import { withoutIdleTimeout } from "./env.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { logServerFault, publicError } from "./error-response.ts";
import type { ErrorResponder } from "./error-response.ts";
import { errorView } from "./error-view.ts";
import { fileView } from "./file-view.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import { listHref, parseListAddress } from "./list-parameters.ts";
import { formOf } from "./negotiate.ts";
import type { OwnFiles } from "./own-files.ts";
import { bulkIds, idParameter, noSuchFile } from "./parameters.ts";
import { requesterOf } from "./requester.ts";
import type { SiteFor } from "./site.ts";
import { undoView } from "./undo-view.ts";

/** Deletions of one request that go on at the same time. */
const maxAtOnce = 8;

interface DeleteDeps extends Pick<WebDeps, "audit" | "deleteFile" | "trash"> {
  requires: Access["requires"];
  ownFiles: OwnFiles;
  links: Links;
  siteFor: SiteFor;
  errorResponse: ErrorResponder;
}

interface Failure {
  id: string;
  error: AppError;
}

/**
 * Deleting one file (DELETE, or POST for a form) and many. A program's files are gone when it is answered; a person's
 * are in the trash, from where they can be had back for a while.
 */
export function deleteRoutes(deps: DeleteDeps) {
  let { audit, trash, ownFiles, requires, links, siteFor, errorResponse } = deps;
  let routes = new Hono<WebEnv>();

  /** Only what this one may know of. */
  async function deleteSeen(context: WebContext, id: string): Promise<FileRecord> {
    let { seen } = await ownFiles.onlySeen(context.var.identity, [id]);
    if (seen.length === 0) throw new AppError("not_found", noSuchFile);
    return await deps.deleteFile(id, { by: requesterOf(context) });
  }

  async function deleteOne(context: WebContext, id: string): Promise<Response> {
    let record = await withoutIdleTimeout(context, () => deleteSeen(context, id));
    return json(context, { success: true, deleted: [record.id] });
  }

  // No page sends this: whoever does is a program.
  routes.delete("/files/:id{[0-9A-Fa-f-]+}", requires("delete"), idParameter, (context) =>
    deleteOne(context, context.req.valid("param").id),
  );
  routes.post("/files/:id{[0-9A-Fa-f-]+}/delete", requires("delete"), idParameter, async (context) => {
    let { id } = context.req.valid("param");
    if (formOf(context, "json") === "json") return deleteOne(context, id);
    return putIntoTrash(context, [id], await formFields(context));
  });

  routes.post("/files/delete", requires("delete"), async (context) => {
    let fields = await formFields(context, { required: true });
    let ids = bulkIds(fields);
    let form = formOf(context, "json");
    if (form === "json") return deleteAtOnce(context, ids);
    // A page with scripts has asked already.
    if (form === "page" && !fields.has("confirmed")) return askFirst(context, ids, fields);
    return putIntoTrash(context, ids, fields);
  });

  async function deleteAtOnce(context: WebContext, ids: string[]): Promise<Response> {
    let { deleted, failed } = await withoutIdleTimeout(context, () =>
      deleteAll(ids, (id) => deleteSeen(context, id)),
    );
    for (let { error } of failed) logServerFault(context, error);
    if (deleted.length === 0 && failed[0]) return noneDeleted(context, failed);
    let status = failed.length === 0 ? (200 as const) : (207 as const);
    let failures = failed.length > 0 && { failed: failed.map(publicFailure) };
    return json(context, { success: true, deleted, ...failures }, status);
  }

  async function putIntoTrash(context: WebContext, ids: string[], fields: URLSearchParams) {
    let { identity } = context.var;
    let { seen, unseen } = await ownFiles.onlySeen(identity, ids);
    let { undoable, missing } = await trash.put(seen);
    missing.push(...unseen);
    ownFiles.noteTrashed(identity, undoable.fileIds);
    let failed = missing.map((id) => ({ id, error: new AppError("not_found", noSuchFile) }));
    if (undoable.fileIds.length === 0) return noneDeleted(context, failed);
    audit.write("delete", requesterOf(context), { file_ids: undoable.fileIds, can_be_undone: true });
    let { query, view } = parseListAddress(fields.get("list") ?? "");
    let undo = undoView(undoable, listHref(links.files, query, { view }));
    let outcome = { done: undoable.fileIds, failed: failed.map((one) => failureView(context, one)) };
    let status = failed.length === 0 ? (200 as const) : (207 as const);
    if (formOf(context, "page") === "fragment") {
      let fragment = DeletedFragment({ ...outcome, undo, restoreHref: links.restore });
      return context.html(fragment, status, { "HX-Trigger": "filesChanged" });
    }
    if (failed.length === 0) {
      return context.redirect(listHref(links.files, query, { view, deletedBatch: undoable.batch }), 303);
    }
    return context.html(DeletedPage({ site: siteFor(context), ...outcome, undo }), status);
  }

  async function askFirst(context: WebContext, ids: string[], fields: URLSearchParams) {
    let found = (await Promise.all(ids.map((id) => ownFiles.seenBy(context.var.identity).get(id)))).filter(
      (row) => row !== null,
    );
    if (found.length === 0) throw new AppError("not_found", noSuchFile);
    let { query, view } = parseListAddress(fields.get("list") ?? "");
    let files = found.map((row) => fileView(row, links));
    let back = listHref(links.files, query, { view });
    return context.html(ConfirmDeletePage({ site: siteFor(context), files, listHref: back }));
  }

  /** As with uploads: when nothing was done, the first failure is the request's. */
  function noneDeleted(context: WebContext, failed: Failure[]) {
    let body = { deleted: [], failed: failed.map(publicFailure) };
    return errorResponse(context, failed[0]?.error, { body, logged: true });
  }

  return routes;
}

function publicFailure({ id, error }: Failure) {
  return { id, error: publicError(error) };
}

/** A failure of one of several files, in the words of a page. */
export function failureView(context: WebContext, { id, error }: Failure) {
  return { id, error: errorView(publicError(error), error.facts.status, context.var.requestId) };
}

/** One failure does not stop the others; what is told of them is in the order of the request. */
async function deleteAll(ids: string[], deleteFile: (id: string) => Promise<FileRecord>) {
  let outcomes: ({ deleted: number } | Failure)[] = [];
  let waiting = ids.entries();
  async function work(): Promise<void> {
    for (let [nth, id] of waiting) {
      try {
        outcomes[nth] = { deleted: (await deleteFile(id)).id };
      } catch (thrown) {
        outcomes[nth] = { id, error: toAppError(thrown) };
      }
    }
  }
  await Promise.all(Array.from({ length: maxAtOnce }, work));
  return {
    deleted: outcomes.flatMap((one) => ("deleted" in one ? [one.deleted] : [])),
    failed: outcomes.filter((one) => "error" in one),
  };
}
