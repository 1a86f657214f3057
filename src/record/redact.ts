import type { Database } from "bun:sqlite";

/**
 * Empties every recorded position: the columns, and what EXIF told of it inside `metadata_json`. Gives the number of rows
 * that had one. The old values may still lie in free pages and in the WAL: what follows is up to the caller.
 *
 * @param table as the database spells it
 */
export function emptyPositions(db: Database, table: string): number {
  return db.run(
    `UPDATE "${table}" SET latitude = NULL, longitude = NULL, metadata_json = json_remove(metadata_json, '$.gps')
     WHERE latitude IS NOT NULL OR json_type(metadata_json, '$.gps') IS NOT NULL`,
  ).changes;
}
