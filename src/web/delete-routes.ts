import { Hono } from "hono";

import { DeletedFragment } from "../../views/fragments/deleted.tsx";
import { DeletedPage } from "../../views/pages/deleted.tsx";
import type { Access } from "../auth/access.ts";
import type { FileRecord } from "../domain.ts";
import { AppError, toAppError } from "../errors.ts";
import { KIB } from "../units.ts";
import { readUrlencoded } from "./bounded-body.ts";
import { withoutIdleTimeout } from "./env.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { logServerFault, publicError } from "./error-response.ts";
import type { ErrorResponder } from "./error-response.ts";
import { errorView } from "./error-view.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import { formOf } from "./negotiate.ts";
import { idParameter, parseIds } from "./parameters.ts";
import type { SiteFor } from "./site.ts";

const maxIds = 1000;
const maxBodyBytes = 64 * KIB;
/** Deletions of one request that go on at the same time. */
const maxAtOnce = 8;

interface DeleteDeps {
  requires: Access["requires"];
  deleteFile: (idOrUid: string) => Promise<FileRecord>;
  links: Links;
  siteFor: SiteFor;
  errorResponse: ErrorResponder;
}

interface FailedDeletion {
  id: string;
  error: AppError;
}

/** Deleting one file (DELETE, or POST for a form) and many. */
export function deleteRoutes({ deleteFile, requires, links, siteFor, errorResponse }: DeleteDeps) {
  let routes = new Hono<WebEnv>();

  async function deleteOne(context: WebContext, id: string): Promise<Response> {
    let record = await withoutIdleTimeout(context, () => deleteFile(id));
    let form = formOf(context, "json");
    if (form === "json") return json(context, { success: true, deleted: [record.id] });
    // An empty answer takes the place of the file's row.
    if (form === "fragment") return context.html("");
    return context.redirect(links.files, 303);
  }

  routes.delete("/files/:id{[0-9A-Fa-f-]+}", requires("delete"), idParameter, (context) =>
    deleteOne(context, context.req.valid("param").id),
  );
  routes.post("/files/:id{[0-9A-Fa-f-]+}/delete", requires("delete"), idParameter, (context) =>
    deleteOne(context, context.req.valid("param").id),
  );

  routes.post("/files/delete", requires("delete"), async (context) => {
    let ids = parseIds((await readUrlencoded(context.req.raw, maxBodyBytes)).getAll("id"));
    if (ids.length === 0 || ids.length > maxIds) {
      throw new AppError("invalid_parameter", `Name 1 to ${maxIds} files with id.`, {
        details: { parameter: "id" },
      });
    }
    let { deleted, failed } = await withoutIdleTimeout(context, () => deleteAll(ids, deleteFile));
    for (let { error } of failed) logServerFault(context, error);
    let failures = failed.map(({ id, error }) => ({ id, error: publicError(error) }));
    // As with uploads: when nothing was done, the first failure is the request's.
    if (deleted.length === 0 && failed[0]) {
      return errorResponse(context, failed[0].error, {
        body: { deleted: [], failed: failures },
        logged: true,
      });
    }
    let status = failed.length === 0 ? (200 as const) : (207 as const);
    let form = formOf(context, "json");
    if (form === "json") {
      let body = { success: true, deleted, ...(failed.length > 0 && { failed: failures }) };
      return json(context, body, status);
    }
    let requestId = context.var.requestId;
    let view = {
      deleted,
      failed: failed.map(({ id, error }) => ({
        id,
        error: errorView(publicError(error), error.facts.status, requestId),
      })),
    };
    if (form === "fragment") return context.html(DeletedFragment(view), status);
    if (failed.length === 0) return context.redirect(links.files, 303);
    return context.html(DeletedPage({ site: siteFor(context), ...view }), status);
  });

  return routes;
}

/** One failure does not stop the others. */
async function deleteAll(ids: string[], deleteFile: DeleteDeps["deleteFile"]) {
  let deleted: number[] = [];
  let failed: FailedDeletion[] = [];
  let waiting = ids[Symbol.iterator]();
  async function work(): Promise<void> {
    for (let id of waiting) {
      try {
        deleted.push((await deleteFile(id)).id);
      } catch (thrown) {
        failed.push({ id, error: toAppError(thrown) });
      }
    }
  }
  await Promise.all(Array.from({ length: maxAtOnce }, work));
  return { deleted, failed };
}
