import { existsSync } from "node:fs";
import { join } from "node:path";

/** The lines of Datasette that the catalog is made for. */
export const datasetteLines = ["stable", "alpha"] as const;
export type DatasetteLine = (typeof datasetteLines)[number];

/** The virtual environment that scripts/datasette.ts makes. */
export function environmentOf(line: DatasetteLine): string {
  return join(import.meta.dir, "../../node_modules/.cache/datasette", line);
}

/** Its last step was done. */
export function isInstalled(line: DatasetteLine): boolean {
  return existsSync(join(environmentOf(line), "complete"));
}
