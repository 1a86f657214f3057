import type { Database } from "bun:sqlite";

import { type ErrorCode, toAppError } from "../errors.ts";
import { checkDatabase, openReader, translated } from "../sqlite.ts";
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

export type ReadAnswer =
  { id: number; rows: FileRow[] } | { id: number; failure: { code: ErrorCode; message: string } };

/** Asks for a look at every page of the catalog. */
export interface CheckRequest {
  check: string;
}

/** What to tell the operator, or null when nothing is wrong. */
export interface CheckAnswer {
  damage: string | null;
}

let db: Database | null = null;

self.addEventListener("message", (event: MessageEvent<ReadRequest | CheckRequest>) => {
  let answer = "check" in event.data ? check(event.data) : read(event.data);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
  self.postMessage(answer);
});

function read({ id, path, table, plan }: ReadRequest): ReadAnswer {
  try {
    let opened = (db ??= openReader(path));
    return { id, rows: translated("read the catalog", () => readList(opened, table, plan), path) };
  } catch (error) {
    let { code, message } = toAppError(error);
    return { id, failure: { code, message } };
  }
}

function check({ check: path }: CheckRequest): CheckAnswer {
  try {
    checkDatabase((db ??= openReader(path)));
    return { damage: null };
  } catch (error) {
    let { code, message } = toAppError(error);
    return { damage: code === "internal_error" ? message : null };
  }
}
