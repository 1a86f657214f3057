import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { ErrorCode } from "../errors.ts";
import { SECOND_MS } from "../units.ts";
import { addGauge, addProcessMetrics } from "./gauges.ts";

/** What happened since the start, and how things stand, for Prometheus and what reads its format. */
export interface Metrics {
  readonly contentType: string;
  /** All of it, in Prometheus' text format. */
  text(): Promise<string>;
  /** A request has come; call the result when its answer begins. */
  beginRequest(): (answered: AnsweredRequest) => void;
  /** A request, or one file of several, was refused or failed. */
  failed(code: ErrorCode): void;
  /** A file has its row. */
  recorded(sizeBytes: number): void;
  /** A call to the bucket ended, or is tried once more. */
  storageCalled(action: string, outcome: StorageOutcome): void;
  /** How things stand is asked when somebody wants to know. */
  watch(state: WatchedState): void;
}

export type StorageOutcome = "done" | "retried" | "failed";

export interface AnsweredRequest {
  method: string;
  /** The pattern, not the address: there are few of them. */
  route: string;
  status: number;
  ms: number;
}

export interface WatchedState {
  isReady: () => boolean;
  memory: { heldBytes: number; limitBytes: number };
  openIntents: () => number;
  openResumableUploads: () => number;
}

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** From a page to an upload of many gigabytes. */
const buckets = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600, 3600];

/** Names are Prometheus' own where it has one (`process_…`), else begin with `s3_uploads_`. */
export function createMetrics(version: string): Metrics {
  let registry = new Registry();
  let registers = [registry];
  let labelNames = ["method", "route"] as const;
  addProcessMetrics(registry);
  new Gauge({
    name: "s3_uploads_build_info",
    help: "Always 1; the version is a label.",
    labelNames: ["version"],
    registers,
  }).set({ version }, 1);
  let requests = new Counter({
    name: "s3_uploads_http_requests_total",
    help: "Requests that were answered.",
    labelNames: [...labelNames, "status"],
    registers,
  });
  let durations = new Histogram({
    name: "s3_uploads_http_request_duration_seconds",
    help: "From the head of a request to the beginning of its answer; an upload is read meanwhile.",
    labelNames,
    buckets,
    registers,
  });
  let inFlight = new Gauge({
    name: "s3_uploads_http_requests_in_flight",
    help: "Requests that are not answered yet.",
    registers,
  });
  let files = new Counter({
    name: "s3_uploads_files_recorded_total",
    help: "Files that were stored and recorded.",
    registers,
  });
  let bytes = new Counter({
    name: "s3_uploads_recorded_bytes_total",
    help: "Their bytes together.",
    registers,
  });
  let errors = new Counter({
    name: "s3_uploads_errors_total",
    help: "Requests, or single files of one, that were refused or failed.",
    labelNames: ["code"],
    registers,
  });
  let calls = new Counter({
    name: "s3_uploads_s3_calls_total",
    help: "Calls to the bucket: done, failed, or failed and tried once more (retried).",
    labelNames: ["action", "outcome"],
    registers,
  });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    beginRequest() {
      inFlight.inc();
      return ({ method: given, route, status, ms }) => {
        let method = methods.has(given) ? given : "other";
        inFlight.dec();
        requests.inc({ method, route, status });
        durations.observe({ method, route }, ms / SECOND_MS);
      };
    },
    failed: (code) => errors.inc({ code }),
    recorded(sizeBytes) {
      files.inc();
      bytes.inc(sizeBytes);
    },
    storageCalled: (action, outcome) => calls.inc({ action, outcome }),
    watch({ isReady, memory, openIntents, openResumableUploads }) {
      for (let [name, help, value] of [
        ["ready", "1 when uploads can be taken, as /readyz says.", () => (isReady() ? 1 : 0)],
        ["memory_held_bytes", "Bytes of uploads that are held in memory.", () => memory.heldBytes],
        ["memory_limit_bytes", "How many may be held (upload_memory_mb).", () => memory.limitBytes],
        ["open_intents", "Uploads and deletions that the journal holds open.", openIntents],
        ["resumable_uploads", "Resumable uploads that are not complete.", openResumableUploads],
      ] as const) {
        addGauge(registry, `s3_uploads_${name}`, help, value);
      }
    },
  };
}
