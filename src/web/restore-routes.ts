import { Hono } from "hono";

import { RestoredFragment } from "../../views/fragments/restored.tsx";
import { RestoredPage } from "../../views/pages/restored.tsx";
import type { Access } from "../auth/access.ts";
import { AppError } from "../errors.ts";
import { formFields } from "./bounded-body.ts";
import { failureView } from "./delete-routes.ts";
import type { WebDeps } from "./deps.ts";
import type { WebEnv } from "./env.ts";
import { publicError } from "./error-response.ts";
import type { ErrorResponder } from "./error-response.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import { listHref, parseListAddress } from "./list-parameters.ts";
import { formOf } from "./negotiate.ts";
import type { OwnFiles } from "./own-files.ts";
import { bulkIds, noSuchFile } from "./parameters.ts";
import { requesterOf } from "./requester.ts";
import type { SiteFor } from "./site.ts";

interface RestoreDeps extends Pick<WebDeps, "audit"> {
  requires: Access["requires"];
  trash: Pick<WebDeps["trash"], "restore">;
  ownFiles: OwnFiles;
  links: Links;
  siteFor: SiteFor;
  errorResponse: ErrorResponder;
}

/** Undoing a deletion from a page, by whoever may delete. */
export function restoreRoutes(deps: RestoreDeps) {
  let { audit, trash, ownFiles, requires, links, siteFor, errorResponse } = deps;
  let routes = new Hono<WebEnv>();

  routes.post("/files/restore", requires("delete"), async (context) => {
    let fields = await formFields(context, { required: true });
    let asked = Map.groupBy(bulkIds(fields), (id) => ownFiles.mayRestore(context.var.identity, id));
    let { restored, failed } = await trash.restore(asked.get(true) ?? []);
    for (let id of asked.get(false) ?? []) failed.push({ id, error: new AppError("not_found", noSuchFile) });
    if (restored.length > 0) audit.write("restore", requesterOf(context), { file_ids: restored });
    let failures = failed.map(({ id, error }) => ({ id, error: publicError(error) }));
    if (restored.length === 0 && failed[0]) {
      return errorResponse(context, failed[0].error, { body: { restored, failed: failures } });
    }
    let status = failed.length === 0 ? (200 as const) : (207 as const);
    let form = formOf(context, "json");
    if (form === "json") {
      return json(
        context,
        { success: true, restored, ...(failed.length > 0 && { failed: failures }) },
        status,
      );
    }
    let { query, view } = parseListAddress(fields.get("list") ?? "");
    let outcome = { done: restored, failed: failed.map((one) => failureView(context, one)) };
    if (form === "fragment") {
      return context.html(RestoredFragment(outcome), status, { "HX-Trigger": "filesChanged" });
    }
    let back = listHref(links.files, query, { view });
    if (failed.length === 0) return context.redirect(back, 303);
    return context.html(RestoredPage({ site: siteFor(context), ...outcome, listHref: back }), status);
  });

  return routes;
}
