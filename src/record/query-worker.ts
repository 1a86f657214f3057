import type { Database } from "bun:sqlite";

import { openReader } from "../sqlite.ts";
import type { ListPlan } from "./list-plan.ts";
import { readList } from "./list-query.ts";
import type { FileRow } from "./rows.ts";

/**
 * A thread of its own for reads that may take long. It is an entry point: the build lists it beside main.ts, and the
 * repository starts it by its address.
 */
declare const self: Worker;

export interface ReadRequest {
  id: number;
  path: string;
  table: string;
  plan: ListPlan;
}

export type ReadAnswer = { id: number; rows: FileRow[] } | { id: number; failure: string };

let db: Database | null = null;

self.addEventListener("message", (event: MessageEvent<ReadRequest>) => {
  let { id, path, table, plan } = event.data;
  let answer: ReadAnswer;
  try {
    db ??= openReader(path);
    answer = { id, rows: readList(db, table, plan) };
  } catch (error) {
    answer = { id, failure: error instanceof Error ? error.message : String(error) };
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
  self.postMessage(answer);
});
