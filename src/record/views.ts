import type { Database } from "bun:sqlite";

import { immediately } from "../sqlite.ts";

/** A view of the catalog. */
export interface CatalogView {
  name: string;
  /** The SELECT, ending without a semicolon. */
  sql: string;
}

/** Stands in the text of every view of ours, so that somebody else's is never touched. */
const mark = "/* made by s3-uploads at its start */";

/**
 * Makes the catalog's views as they are wanted, and drops those of ours that are not: nothing else is touched. Where the
 * name is somebody else's, the view is left out.
 *
 * @returns the names of the views that are there now
 */
export function remakeViews(db: Database, wanted: readonly CatalogView[]): string[] {
  let statementOf = ({ name, sql }: CatalogView) => `CREATE VIEW "${name}" AS ${mark}\n${sql}`;
  return immediately(db, () => {
    let there = db.query<{ name: string; type: string; sql: string | null }, []>(
      "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view')",
    );
    for (let { name, type, sql } of there.all()) {
      if (type !== "view" || !sql?.includes(mark)) continue;
      let same = wanted.find((view) => view.name === name);
      if (same && statementOf(same) === sql) continue;
      db.run(`DROP VIEW "${name.replaceAll('"', '""')}"`);
    }
    let taken = new Map(there.all().map(({ name, sql }) => [name.toLowerCase(), sql]));
    return wanted.flatMap((view) => {
      let found = taken.get(view.name.toLowerCase());
      if (found === undefined) db.run(statementOf(view));
      return found === undefined || found?.includes(mark) ? [view.name] : [];
    });
  });
}
