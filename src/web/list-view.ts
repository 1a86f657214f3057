import { shortBytes } from "../../views/format.ts";
import type { ListView } from "../../views/props.ts";
import { SORT_COLUMNS } from "../record/file-repository.ts";
import type { ListQuery, Page } from "../record/file-repository.ts";
import { fileView } from "./file-view.ts";
import type { Links } from "./links.ts";
import { allPages, isNarrowed, listHref, type ListRequest, withoutPlace } from "./list-parameters.ts";
import { parseSize } from "./sizes.ts";

const sortedUpwards = new Set<string>(["filename", "content_type"]);

/** A page of the list as views have it: rows, fields and every address that leads on from it. */
export function listView({ query, view: look }: ListRequest, page: Page, links: Links): ListView {
  let sort = query.sort ?? { column: "id", descending: true };
  let first = withoutPlace(query);
  let href = (asked: ListQuery, view = look) => listHref(links.files, asked, { view });
  let sortHrefs = SORT_COLUMNS.map((column) => {
    // The other way round when the list is sorted by it already; else as one mostly wants it.
    let isActive = column === sort.column || (column === "created_at" && sort.column === "id");
    let descending = isActive ? !sort.descending : !sortedUpwards.has(column);
    return [column, href({ ...first, sort: { column, descending } })] as const;
  });
  let { next, previous } = page;
  return {
    files: page.rows.map((row) => fileView(row, links)),
    look,
    fields: {
      search: query.search ?? "",
      kind: query.kind ?? "",
      contentType: query.contentType ?? "",
      from: query.from ?? "",
      to: query.to ?? "",
      minSize: sizeField(query.minBytes),
      maxSize: sizeField(query.maxBytes),
    },
    isNarrowed: isNarrowed(query),
    sort,
    kept: keptFields(query, look),
    hereHref: href(query),
    sortHrefs: Object.fromEntries(sortHrefs),
    lookHrefs: { table: href(query, "table"), grid: href(query, "grid") },
    wholeHref: href({ ...(query.sort && { sort: query.sort }), ...(query.size && { size: query.size }) }),
    csvHref: listHref(links.filesCsv, allPages(query)),
    nextHref: next === null ? null : href({ ...first, next }),
    previousHref: previous === null ? null : href({ ...first, previous }),
    firstHref: query.next === undefined && query.previous === undefined ? null : href(first),
  };
}

/** What is no field of the filters' form but has to survive it. */
function keptFields({ sort, size }: ListQuery, look: string): ListView["kept"] {
  let fields: ListView["kept"] = [];
  if (sort) fields.push({ name: sort.descending ? "_sort_desc" : "_sort", value: sort.column });
  if (size !== undefined) fields.push({ name: "_size", value: String(size) });
  if (look === "grid") fields.push({ name: "view", value: look });
  return fields;
}

/** As people write it where that says the same, else in bytes. */
function sizeField(bytes: number | undefined): string {
  if (bytes === undefined) return "";
  let short = shortBytes(bytes);
  return parseSize(short) === bytes ? short : String(bytes);
}
