import { AppError } from "../errors.ts";

/** Names that need no escaping inside double quotes, also in Datasette's URLs and search detection. */
const tableNamePattern = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/**
 * The configured table name, proved to be safe inside `"…"` in SQL text; reserved words are fine there.
 * Throws `invalid_parameter` otherwise.
 */
export function parseTableName(name: string): string {
  if (tableNamePattern.test(name) && !/^sqlite_/i.test(name)) return name;
  throw badTableName(
    `db_table_name ${JSON.stringify(name)} can't be a table: it takes 1 to 63 letters, digits and underscores, begins with a letter or underscore, and not with "sqlite_".`,
  );
}

export function badTableName(message: string): AppError {
  return new AppError("invalid_parameter", message, { details: { parameter: "db_table_name" } });
}
