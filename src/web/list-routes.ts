import { Hono } from "hono";

import { FilesTable } from "../../views/fragments/files-table.tsx";
import { FilesPage } from "../../views/pages/files.tsx";
import type { ListView } from "../../views/props.ts";
import type { Access } from "../auth/access.ts";
import { SORT_COLUMNS } from "../record/file-repository.ts";
import type { FileRepository, ListQuery, Page } from "../record/file-repository.ts";
import { csvStream } from "./csv.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { fileJson } from "./file-json.ts";
import { fileView } from "./file-view.ts";
import { json } from "./json.ts";
import type { Links } from "./links.ts";
import { formOf } from "./negotiate.ts";
import { listHref, listParameters } from "./parameters.ts";
import type { SiteFor } from "./site.ts";
import { forSlowReaders } from "./slow-readers.ts";

const sortedUpwards = new Set<string>(["filename", "content_type"]);

interface ListDeps {
  requires: Access["requires"];
  repository: FileRepository;
  links: Links;
  siteFor: SiteFor;
}

/** `/files`, `/files.json`, `/files.csv`: the same query, three forms. */
export function listRoutes({ repository, requires, links, siteFor }: ListDeps) {
  let routes = new Hono<WebEnv>();

  function rowsAsJson(context: WebContext, query: ListQuery, page: Page): Response {
    let next = page.next === null ? null : listHref(context.req.path, { ...query, next: page.next });
    return json(context, {
      success: true,
      rows: page.rows.map((row) => fileJson(row, links)),
      next: page.next,
      next_url: next === null ? null : links.absolute(next),
    });
  }

  routes.get("/files", requires("view"), listParameters, async (context) => {
    let query = context.req.valid("query");
    let form = formOf(context, "page");
    let page = await repository.list(query);
    if (form === "json") return rowsAsJson(context, query, page);
    let list = listView(query, page, links);
    let site = siteFor(context);
    return context.html(form === "page" ? FilesPage({ site, list }) : FilesTable({ site, list }));
  });

  routes.get("/files.json", requires("view"), listParameters, async (context) => {
    let query = context.req.valid("query");
    return rowsAsJson(context, query, await repository.list(query));
  });

  // Every row of the query: a size or a place to begin would be a page, and a spreadsheet wants the whole.
  routes.get("/files.csv", requires("view"), listParameters, async (context) => {
    let query = allPages(context.req.valid("query"));
    let headers = {
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition": 'attachment; filename="files.csv"',
    };
    // Nobody would read or cancel the rows of a HEAD.
    if (context.req.method === "HEAD") return context.body(null, 200, headers);
    let rows = await begun(repository.iterate(query));
    return context.body(forSlowReaders(context, csvStream(rows)), 200, headers);
  });

  return routes;
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

function withoutPlace(query: ListQuery): ListQuery {
  let copy = { ...query };
  delete copy.next;
  return copy;
}

function allPages(query: ListQuery): Omit<ListQuery, "size" | "next"> {
  let copy = { ...query };
  delete copy.next;
  delete copy.size;
  return copy;
}

function listView(query: ListQuery, page: Page, links: Links): ListView {
  let sort = query.sort ?? { column: "id", descending: true };
  let first = withoutPlace(query);
  let sortHrefs = SORT_COLUMNS.map((column) => {
    // The other way round when the list is sorted by it already; else as one mostly wants it.
    let descending = column === sort.column ? !sort.descending : !sortedUpwards.has(column);
    return [column, listHref(links.files, { ...first, sort: { column, descending } })] as const;
  });
  return {
    files: page.rows.map((row) => fileView(row, links)),
    search: query.search ?? "",
    kind: query.kind ?? "",
    contentType: query.contentType ?? "",
    sort,
    sortHrefs: Object.fromEntries(sortHrefs),
    csvHref: listHref(links.filesCsv, allPages(query)),
    nextHref: page.next === null ? null : listHref(links.files, { ...query, next: page.next }),
    firstHref: query.next === undefined ? null : listHref(links.files, first),
  };
}
