import { Hono } from "hono";

import { FilePage } from "../../views/pages/file.tsx";
import type { Access } from "../auth/access.ts";
import type { FileRecord } from "../domain.ts";
import { AppError } from "../errors.ts";
import { download } from "./download.ts";
import type { DownloadDeps } from "./download.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { fileJson } from "./file-json.ts";
import { fileView } from "./file-view.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import { formOf } from "./negotiate.ts";
import type { OwnFiles } from "./own-files.ts";
import { idParameter, jsonIdParameter, noSuchFile } from "./parameters.ts";
import type { SiteFor } from "./site.ts";
import { readTextHead } from "./text-head.ts";

interface FileDeps {
  requires: Access["requires"];
  ownFiles: OwnFiles;
  links: Links;
  siteFor: SiteFor;
  downloads: DownloadDeps;
}

/** One file: its page, its facts as JSON, its bytes. */
export function fileRoutes({ ownFiles, requires, links, siteFor, downloads }: FileDeps) {
  let routes = new Hono<WebEnv>();

  async function fileOf(context: WebContext, id: string): Promise<FileRecord> {
    let record = await ownFiles.seenBy(context.var.identity).get(id);
    if (record === null) throw new AppError("not_found", noSuchFile);
    return record;
  }

  routes.get("/files/:id{[0-9A-Fa-f-]+}", requires("view"), idParameter, async (context) => {
    let form = formOf(context, "page");
    let record = await fileOf(context, context.req.valid("param").id);
    if (form === "json") return json(context, { success: true, file: fileJson(record, links) });
    let head = await readTextHead(record, downloads.storageFor(record), context.req.raw.signal);
    return context.html(FilePage({ site: siteFor(context), file: fileView(record, links), head }));
  });

  routes.get("/files/:id{[0-9A-Fa-f-]+\\.json}", requires("view"), jsonIdParameter, async (context) => {
    let record = await fileOf(context, context.req.valid("param").id);
    return json(context, { success: true, file: fileJson(record, links) });
  });

  routes.get("/files/:id{[0-9A-Fa-f-]+}/download", requires("view"), idParameter, async (context) => {
    let record = await fileOf(context, context.req.valid("param").id);
    // A frame stays here: the bucket would answer without a sandbox.
    let isFramed = context.req.query("frame") !== undefined;
    return download(context, record, isFramed ? { ...downloads, mode: "proxy" } : downloads);
  });

  return routes;
}
