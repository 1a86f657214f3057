import { join } from "node:path";

import type { DatasetteLine } from "../support/datasette-environments.ts";
import type { Datasette } from "../support/datasette.ts";

export type Row = Record<string, unknown>;

/** What README says to start it with: the folder, or the database and its metadata. */
export function optionsOf(line: DatasetteLine, dataDir: string): string[] {
  if (line === "alpha") return [dataDir];
  return [join(dataDir, "uploads.db"), "-m", join(dataDir, "metadata.yaml")];
}

/** Rows as objects, which the two lines give by different parameters. */
export async function rowsOf(datasette: Datasette, path: string): Promise<Row[]> {
  let address = `${path}${path.includes("?") ? "&" : "?"}_shape=objects&_nosuggest=1`;
  return (await datasette.json<{ rows: Row[] }>(address)).rows;
}

/** Names of what is listed as names, or as objects with one. */
export function namesIn(list: unknown[]): string[] {
  return list.map((one) => (typeof one === "string" ? one : String((one as { name: unknown }).name)));
}

/** The list in an answer that is one, or that has it below a key. */
export function listOf(answer: object): unknown[] {
  if (Array.isArray(answer)) return answer;
  return Object.values(answer).find((value) => Array.isArray(value)) ?? [];
}

export function addedRows(rows: Row[]): { files: number; total_bytes: number } {
  let sum = (column: string) => rows.reduce((total, row) => total + Number(row[column]), 0);
  return { files: sum("files"), total_bytes: sum("total_bytes") };
}
