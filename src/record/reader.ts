import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import { SECOND_MS } from "../units.ts";
import type { ListPlan } from "./list-plan.ts";
import type { ReadAnswer, ReadRequest } from "./query-worker.ts";
import type { FileRow } from "./rows.ts";

/** Longest time from the question to the answer. */
export const readTimeoutMs = 10 * SECOND_MS;
/** Questions that may wait for the worker; it answers one after another. */
const maxWaitingReads = 100;
/** A question that the worker died of twice is not asked again. */
const maxAttempts = 2;

/** Reads of the catalog that may take long, in a thread of their own. */
export interface Reader {
  /** Rejects with `server_busy` when too many wait or it takes too long, else with `internal_error`. */
  read(plan: ListPlan): Promise<FileRow[]>;
  close(): void;
}

interface Waiting {
  request: ReadRequest;
  attempts: number;
  timer: ReturnType<typeof setTimeout>;
  resolve(rows: FileRow[]): void;
  reject(error: AppError): void;
}

/** The thread starts with the first question, and again after it died or took too long. */
export function createReader(options: { path: string; table: string; log: Log; timeoutMs?: number }): Reader {
  let { path, table, log, timeoutMs = readTimeoutMs } = options;
  let waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let lastId = 0;
  let isClosed = false;

  function start(): Worker {
    // Works in the binary as well when the build names its entry points flat: see scripts/build.ts.
    let started = new Worker(new URL("./query-worker.ts", import.meta.url));
    started.addEventListener("message", (event: MessageEvent<ReadAnswer>) => answer(event.data));
    started.addEventListener("error", (event) => {
      event.preventDefault();
      died(started, event.message);
    });
    started.addEventListener("close", () => died(started, "it ended"));
    return started;
  }

  function ask(entry: Waiting): void {
    entry.attempts += 1;
    worker ??= start();
    // Only a question that waits keeps the process alive.
    worker.ref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
    worker.postMessage(entry.request);
  }

  function answer(message: ReadAnswer): void {
    let entry = take(message.id);
    if (!entry) return;
    if ("rows" in message) entry.resolve(message.rows);
    else entry.reject(new AppError("internal_error", `Could not read the catalog: ${message.failure}`));
  }

  function take(id: number): Waiting | undefined {
    let entry = waiting.get(id);
    if (!entry) return undefined;
    waiting.delete(id);
    clearTimeout(entry.timer);
    if (waiting.size === 0) worker?.unref();
    return entry;
  }

  function died(which: Worker, reason: string): void {
    if (which !== worker || isClosed) return;
    log.warn({ reason }, "the catalog's query worker died");
    replace();
  }

  /** Gives up the thread and asks a new one what still waits. */
  function replace(): void {
    let old = worker;
    worker = null;
    old?.terminate();
    for (let [id, entry] of waiting) {
      if (entry.attempts < maxAttempts) ask(entry);
      else take(id)?.reject(new AppError("internal_error", "The catalog's query worker died."));
    }
  }

  function timedOut(id: number): void {
    let entry = take(id);
    if (!entry) return;
    log.warn({ timeoutMs, plan: entry.request.plan }, "a query of the catalog took too long");
    entry.reject(new AppError("server_busy", "The query took too long; narrow it down or try again."));
    // The thread answers in order, so it is this question that holds it up. The others begin anew.
    for (let other of waiting.values()) other.attempts -= 1;
    replace();
  }

  return {
    read(plan) {
      if (isClosed) return Promise.reject(new AppError("server_busy", "The catalog is closed."));
      if (waiting.size >= maxWaitingReads) {
        return Promise.reject(new AppError("server_busy", "Too many queries are waiting."));
      }
      return new Promise((resolve, reject) => {
        let id = ++lastId;
        let timer = setTimeout(() => timedOut(id), timeoutMs);
        let entry = { request: { id, path, table, plan }, attempts: 0, timer, resolve, reject };
        waiting.set(id, entry);
        ask(entry);
      });
    },
    close() {
      isClosed = true;
      for (let id of waiting.keys()) {
        take(id)?.reject(new AppError("server_busy", "The server is stopping."));
      }
      worker?.terminate();
      worker = null;
    },
  };
}
