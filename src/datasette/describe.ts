import { COLUMN_DESCRIPTIONS } from "./columns.ts";
import type { DescribedView } from "./views.ts";

/** Name of the database in Datasette: that of the file. */
export const databaseName = "uploads";
const rowsPerPage = 50;
/** Values of a facet that are shown before "more". */
const facetValues = 20;
const facets = ["kind", "content_type", "created_date"];
const sortable = ["id", "filename", "size_bytes", "content_type", "taken_at", "created_at"];

/** Datasette puts the description of every column above the rows: side by side they leave those in sight. */
const compactDescriptions =
  "<style>dl.column-descriptions { columns: 20em; font-size: 0.8em } dl.column-descriptions dd { break-before: avoid; break-inside: avoid; margin-left: 1em }</style>";

/** Datasette shows the database's description on the page of an SQL query too, where links that are relative lead astray. */
const notOnQueries = "<style>body.query .metadata-description { display: none }</style>";

function sentence(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`;
}

/** Above a table whose columns are described. */
function withColumns(text: string): string {
  return `<p>${text}</p>${compactDescriptions}`;
}

/** From the page of the database, whatever Datasette's base_url is; names are identifiers, and texts our own. */
function linkTo(name: string, text: string): string {
  return `<a href="${databaseName}/${name}">${text}</a>`;
}

/**
 * What Datasette is told of a catalog. `metadata` is all that 0.65 reads; `config` is what 1.0 reads beside the texts of
 * `metadata`.
 *
 * @param table as the database spells it
 */
export function describeForDatasette(table: string, views: readonly DescribedView[]) {
  let search = { fts_table: `${table}_fts`, fts_pk: "id" };
  let tableConfig = {
    label_column: "filename",
    // Every filter's index gives the newest by id, and only few by time: a million rows would have to be sorted.
    sort_desc: "id",
    size: rowsPerPage,
    facets,
    sortable_columns: sortable,
    ...search,
  };
  let viewConfigs = views.map((view): [string, object] => [
    view.name,
    {
      ...(view.sortDesc === null ? {} : { sort_desc: view.sortDesc }),
      sortable_columns: view.sortable,
      size: rowsPerPage,
      ...(view.hasFiles ? search : {}),
    },
  ]);
  // SQLite's own; the alphas hide it by themselves.
  let hidden: [string, object] = ["sqlite_sequence", { hidden: true }];
  let configs = new Map<string, object>([[table, tableConfig], ...viewConfigs, hidden]);
  let texts = new Map<string, object>([
    [
      table,
      {
        title: "Uploaded files",
        description_html: withColumns(
          "One row for each file that was uploaded, the newest first. The search finds any part of a name that has at least three letters.",
        ),
        columns: COLUMN_DESCRIPTIONS,
      },
    ],
    ...views.map(({ name, title, description, columns }): [string, object] => [
      name,
      { title, description_html: withColumns(sentence(description)), columns },
    ]),
  ]);

  let answers = views
    .map(({ name, title, description }) => `<li>${linkTo(name, title)}: ${description}</li>`)
    .join("");
  let metadata = {
    title: "Uploads",
    description: "What was uploaded: every file with its type, size, time and what it tells about itself.",
    databases: {
      [databaseName]: {
        title: "Uploads",
        description_html: `<p>${linkTo(table, "Every file")} that was uploaded, and what people ask about them:</p><ul>${answers}</ul>${notOnQueries}`,
        tables: Object.fromEntries(
          [...configs].map(([name, config]) => [name, { ...texts.get(name), ...config }]),
        ),
      },
    },
  };
  let config = {
    databases: {
      [databaseName]: {
        tables: Object.fromEntries([
          ...configs,
          [table, { ...tableConfig, facet_size: facetValues }] as [string, object],
        ]),
      },
    },
  };
  return { metadata, config };
}
