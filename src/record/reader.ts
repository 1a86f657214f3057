import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import { SECOND_MS } from "../units.ts";
import type { ListPlan } from "./list-plan.ts";
import type { ReadAnswer, ReadRequest } from "./query-worker.ts";
import type { FileRow } from "./rows.ts";

/** Longest time that one query may run, and longest time that it may wait to run. */
export const readTimeoutMs = 10 * SECOND_MS;
/** Queries that may wait for the thread; it answers one after another. */
export const maxWaitingReads = 100;
/** A query that the thread died of twice is not tried again. */
const maxAttempts = 2;

/** Reads of the catalog that may take long, in a thread of their own. */
export interface Reader {
  /** Rejects with `server_busy` when too many wait or it takes too long, else with what the database threw. */
  read(plan: ListPlan): Promise<FileRow[]>;
  close(): void;
}

interface Read {
  plan: ListPlan;
  askedAtMs: number;
  attempts: number;
  resolve(rows: FileRow[]): void;
  reject(error: AppError): void;
}

/** The thread starts with the first query, and again after it died or took too long. */
export function createReader(options: { path: string; table: string; log: Log; timeoutMs?: number }): Reader {
  let { path, table, log, timeoutMs = readTimeoutMs } = options;
  let waiting: Read[] = [];
  let running: { id: number; read: Read; timer: ReturnType<typeof setTimeout> } | null = null;
  let worker: Worker | null = null;
  let lastId = 0;
  let isClosed = false;

  function start(): Worker {
    // In the binary this address holds because the build gives its entry points flat names.
    let started = new Worker(new URL("./query-worker.ts", import.meta.url));
    started.addEventListener("message", (event: MessageEvent<ReadAnswer>) => answered(event.data));
    started.addEventListener("error", (event) => {
      event.preventDefault();
      died(started, event.message);
    });
    started.addEventListener("close", () => died(started, "it ended"));
    return started;
  }

  function runNext(): void {
    if (running) return;
    let read = waiting.shift();
    while (read && performance.now() - read.askedAtMs > timeoutMs) {
      read.reject(new AppError("server_busy", "The query waited too long for its turn."));
      read = waiting.shift();
    }
    if (!read) {
      // An idle thread must not keep the process alive.
      worker?.unref();
      return;
    }
    worker ??= start();
    worker.ref();
    read.attempts += 1;
    running = { id: ++lastId, read, timer: setTimeout(tookTooLong, timeoutMs) };
    let request: ReadRequest = { id: running.id, path, table, plan: read.plan };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin to name
    worker.postMessage(request);
  }

  /** Takes the running query out; what the thread says about it afterwards is not heard. */
  function stopRunning(): Read | null {
    let stopped = running;
    running = null;
    if (stopped) clearTimeout(stopped.timer);
    return stopped?.read ?? null;
  }

  function answered(answer: ReadAnswer): void {
    if (answer.id !== running?.id) return;
    let read = stopRunning();
    if ("rows" in answer) read?.resolve(answer.rows);
    else read?.reject(new AppError(answer.failure.code, answer.failure.message));
    runNext();
  }

  function tookTooLong(): void {
    let read = stopRunning();
    log.warn({ timeoutMs, plan: read?.plan }, "a query of the catalog took too long");
    read?.reject(new AppError("server_busy", "The query took too long; narrow it down or try again."));
    giveUpThread();
    runNext();
  }

  function died(which: Worker, reason: string): void {
    if (which !== worker) return;
    log.warn({ reason }, "the thread that queries the catalog died");
    giveUpThread();
    let read = stopRunning();
    if (read && read.attempts < maxAttempts) waiting.unshift(read);
    else read?.reject(new AppError("internal_error", `The query ended its thread: ${reason}`));
    runNext();
  }

  /** SQLite can't be interrupted in the middle of a step: the old thread ends when its step does. */
  function giveUpThread(): void {
    let old = worker;
    worker = null;
    old?.terminate();
  }

  return {
    read(plan) {
      if (isClosed) return Promise.reject(new AppError("server_busy", "The catalog is closed."));
      if (waiting.length >= maxWaitingReads) {
        return Promise.reject(new AppError("server_busy", "Too many queries are waiting."));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ plan, askedAtMs: performance.now(), attempts: 0, resolve, reject });
        runNext();
      });
    },
    close() {
      isClosed = true;
      giveUpThread();
      let closing = new AppError("server_busy", "The server is stopping.");
      stopRunning()?.reject(closing);
      for (let read of waiting.splice(0)) read.reject(closing);
    },
  };
}
