import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The lines of Datasette that the catalog is made for. */
export const datasetteLines = ["stable", "alpha"] as const;
export type DatasetteLine = (typeof datasetteLines)[number];

/** The virtual environment that scripts/datasette.ts makes. */
export function environmentOf(line: DatasetteLine): string {
  return join(import.meta.dir, "../../node_modules/.cache/datasette", line);
}

/** What pip puts into it. */
export const packagesOf: Readonly<Record<DatasetteLine, readonly string[]>> = {
  stable: ["datasette<1", "sqlite-utils", "datasette-cluster-map", "datasette-json-html"],
  // The alphas from 1.0a37 on refuse what the map asks of them from 0.18 on.
  alpha: ["--pre", "datasette>=1.0a37", "datasette-cluster-map<0.18", "datasette-json-html"],
};

/** Is written in the last step of an installation, and says what was installed. */
export function completionOf(line: DatasetteLine): { path: string; text: string } {
  return { path: join(environmentOf(line), "complete"), text: packagesOf[line].join("\n") };
}

export function isInstalled(line: DatasetteLine): boolean {
  let { path, text } = completionOf(line);
  return existsSync(path) && readFileSync(path, "utf8") === text;
}
