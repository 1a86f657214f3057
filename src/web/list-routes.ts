import { Hono } from "hono";

import { FilesList } from "../../views/fragments/files-list.tsx";
import { FilesPage } from "../../views/pages/files.tsx";
import type { Access } from "../auth/access.ts";
import type { ListQuery, Page } from "../record/file-repository.ts";
import { csvStream } from "./csv.ts";
import type { WebDeps } from "./deps.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { fileJson } from "./file-json.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import {
  allPages,
  isTidy,
  listHref,
  listParameters,
  type ListRequest,
  withoutPlace,
} from "./list-parameters.ts";
import { listView } from "./list-view.ts";
import { formOf } from "./negotiate.ts";
import type { OwnFiles, SeenFiles } from "./own-files.ts";
import type { SiteFor } from "./site.ts";
import { forSlowReaders } from "./slow-readers.ts";
import { undoView } from "./undo-view.ts";

interface ListDeps {
  requires: Access["requires"];
  ownFiles: OwnFiles;
  trash: Pick<WebDeps["trash"], "find">;
  links: Links;
  siteFor: SiteFor;
}

/** `/files`, `/files.json`, `/files.csv`: the same query, three forms. */
export function listRoutes({ ownFiles, trash, requires, links, siteFor }: ListDeps) {
  let routes = new Hono<WebEnv>();
  let seen = (context: WebContext) => ownFiles.seenBy(context.var.identity);

  function rowsAsJson(context: WebContext, query: ListQuery, { rows, next, previous }: Page): Response {
    let address = (place: Pick<ListQuery, "next" | "previous">) =>
      links.absolute(listHref(context.req.path, { ...withoutPlace(query), ...place }));
    return json(context, {
      success: true,
      rows: rows.map((row) => fileJson(row, links)),
      next,
      next_url: next === null ? null : address({ next }),
      previous,
      previous_url: previous === null ? null : address({ previous }),
    });
  }

  routes.get("/files", requires("view"), listParameters, async (context) => {
    let asked = context.req.valid("query");
    let form = formOf(context, "page");
    if (form === "json") return rowsAsJson(context, asked.query, await seen(context).list(asked.query));
    // What a form sent with its empty fields gets an address that can be read and shared.
    if (!isTidy(context.req.url)) {
      let address = tidyAddress(asked, links);
      if (form === "page") return context.redirect(address, 303);
      context.header("HX-Replace-Url", address);
    }
    let { request, page } = await pageForPeople(asked, seen(context));
    let site = siteFor(context);
    let list = listView(request, page, links);
    if (form === "fragment") return context.html(FilesList({ site, list }));
    let left = site.may.delete && asked.deletedBatch !== null ? trash.find(asked.deletedBatch) : null;
    let undo = left && undoView(left, list.hereHref);
    return context.html(FilesPage({ site, list, undo }));
  });

  routes.get("/files.json", requires("view"), listParameters, async (context) => {
    let { query } = context.req.valid("query");
    return rowsAsJson(context, query, await seen(context).list(query));
  });

  // Every row of the query: a size or a place to begin would be a page, and a spreadsheet wants the whole.
  routes.get("/files.csv", requires("view"), listParameters, async (context) => {
    let query = allPages(context.req.valid("query").query);
    let headers = {
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition": 'attachment; filename="files.csv"',
    };
    // Nobody would read or cancel the rows of a HEAD, and nobody knows how long they are.
    if (context.req.method === "HEAD") {
      return context.body(null, 200, { ...headers, "Transfer-Encoding": "chunked" });
    }
    let rows = await begun(seen(context).iterate(query));
    return context.body(forSlowReaders(context, csvStream(rows)), 200, headers);
  });

  return routes;
}

function tidyAddress({ query, view, deletedBatch }: ListRequest, links: Links): string {
  return listHref(links.files, query, { view, ...(deletedBatch !== null && { deletedBatch }) });
}

/** Who pages back to the start sees a full page there, and not the few rows that came in the meantime. */
async function pageForPeople(request: ListRequest, repository: SeenFiles) {
  let { query } = request;
  let page = await repository.list(query);
  let isShortStart = query.previous !== undefined && page.previous === null && page.next !== null;
  if (!isShortStart) return { request, page };
  let first = withoutPlace(query);
  return { request: { ...request, query: first }, page: await repository.list(first) };
}

/** The same rows, the first one fetched already: a query that fails is still a failure, not half a file. */
async function begun<Row>(rows: AsyncIterable<Row>): Promise<AsyncIterable<Row>> {
  let iterator = rows[Symbol.asyncIterator]();
  let first: IteratorResult<Row> | null = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        let result = first;
        first = null;
        return result ? Promise.resolve(result) : iterator.next();
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}
