import files from "./migrations/001-files.sql" with { type: "text" };
import views from "./migrations/002-views.sql" with { type: "text" };

/** In order; the position tells the version. A published one is never changed, only followed by another. */
const templates: readonly string[] = [files, views];

/** @param table a name that `parseTableName` let through */
export function catalogMigrations(table: string): string[] {
  return templates.map((sql) => sql.replaceAll("{{table}}", table));
}
