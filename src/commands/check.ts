import { existsSync } from "node:fs";
import { join } from "node:path";

import { type Config, reachedOnlyFromHere } from "../config/config.ts";
import { hideSecrets } from "../config/fault.ts";
import { secretsOf } from "../config/redact.ts";
import { toAppError } from "../errors.ts";
import { type Ids, randomIds } from "../ids.ts";
import { isLoopback } from "../loopback.ts";
import type { Storage } from "../store/storage.ts";
import { SECOND_MS } from "../units.ts";
import { inspectDataFolder } from "./check-data-folder.ts";
import { inspectDatabases } from "./check-databases.ts";
import { inspectModes } from "./check-modes.ts";
import { inspectPublicity } from "./check-public.ts";

export interface CheckDeps {
  config: Config;
  /** Not yet looked at; nothing else may be done with it meanwhile. */
  storage: Storage;
  /** Takes whole lines, their newline included. */
  write: (text: string) => void;
  ids?: Ids;
}

/** How bad it is; only a FAIL makes the exit status 1. */
export type Mark = "ok" | "warn" | "FAIL";
export type Report = (mark: Mark, what: string, sentence: string) => void;

/** How long one step may take, with its retries. */
const stepTimeoutMs = 45 * SECOND_MS;
const whatColumns = 14;

/**
 * Tries everything that a server needs, one line a check, and cleans up after itself. Works beside a running server.
 * @returns the exit status: 1 when a check failed, else 0
 */
export async function runCheck({ config, storage, write, ids = randomIds }: CheckDeps): Promise<number> {
  let failed = false;
  let warned = false;
  let lastFailure = "";
  let secrets = secretsOf(config);
  let report: Report = (mark, what, sentence) => {
    let shown = hideSecrets(sentence, secrets);
    if (mark === "warn") warned = true;
    if (mark === "FAIL") {
      failed = true;
      if (shown === lastFailure) shown = "for the same reason";
      else lastFailure = shown;
    }
    write(`${mark.padEnd(4)}  ${what.padEnd(whatColumns)}  ${shown}\n`);
  };

  reportConfiguration(config, report);
  await inspectDataFolder(config, storage.name, ids.uid(), report);
  inspectDatabases(config, report);
  await inspectModes(config.data_dir, report);
  if (storage.name === "local" && !existsSync(join(config.data_dir, "objects"))) {
    report("ok", "storage", "the folder for objects will be made by the server");
  } else if (await probe(config, storage, report)) {
    let key = `${config.s3_prefix}s3-uploads-check/${ids.uid()}`;
    await roundTrip(storage, key, report);
    if (config.s3_bucket !== null) await tryUnfinished(storage, key, report);
  } else {
    report("warn", "object", "not tried, because the storage did not answer");
  }
  let works = warned ? "Everything works; see the warnings." : "Everything works.";
  write(`${failed ? "The check failed." : works}\n`);
  return failed ? 1 : 0;
}

function reportConfiguration(config: Config, report: Report): void {
  report(
    "ok",
    "configuration",
    config.s3_bucket === null ? "no bucket: objects stay in the data folder" : placeOf(config),
  );
  let { s3_endpoint_url: endpoint, allow_anonymous: anonymous } = config;
  if (endpoint?.startsWith("http:") && !isLoopback(new URL(endpoint).hostname)) {
    report("warn", "configuration", `${endpoint} is not encrypted: everybody on the way can read the files`);
  }
  if (isReachedInClear(config)) {
    report(
      "warn",
      "configuration",
      "people come to this server without encryption: everybody on the way can read passwords, tokens and files; put a proxy with TLS before it, and set public_url to its https:// address",
    );
  }
  if (anonymous.length > 0 && !reachedOnlyFromHere(config)) {
    report(
      "warn",
      "configuration",
      `everybody who reaches this server may ${anonymous.join(", ")} (allow_anonymous)`,
    );
  }
}

function isReachedInClear(config: Config): boolean {
  let { public_url: publicUrl } = config;
  if (publicUrl === null) return !reachedOnlyFromHere(config);
  return publicUrl.startsWith("http:") && !isLoopback(new URL(publicUrl).hostname);
}

function placeOf({ s3_bucket, s3_endpoint_url, s3_region, s3_prefix }: Config): string {
  return `bucket ${s3_bucket} at ${s3_endpoint_url ?? `AWS in ${s3_region}`}, prefix ${s3_prefix || "none"}`;
}

/** @returns false when it makes no sense to go on */
async function probe(config: Config, storage: Storage, report: Report): Promise<boolean> {
  let signal = AbortSignal.timeout(stepTimeoutMs);
  try {
    await storage.probe(signal);
  } catch (error) {
    report("FAIL", "list", sentenceOf(error, signal));
    // A definite no to a list says nothing about the other permissions.
    return toAppError(error).code === "storage_error";
  }
  // What the probe could do without.
  let [missing] = storage.shortcomings ?? [];
  if (missing !== undefined) report("warn", "list", missing);
  else {
    let listed = config.s3_bucket === null ? "" : ", and the bucket may be listed";
    report("ok", "list", `the storage answers${listed}`);
  }
  return true;
}

/** Whether parts can be cleaned up after an upload that failed: something to know, and no reason not to start. */
async function tryUnfinished(storage: Storage, key: string, report: Report): Promise<void> {
  let before = new Set(storage.shortcomings);
  let tries = [
    // There is no such upload, which is no error.
    async () => storage.abortMultipart(key, "s3-uploads-check"),
    async () => void (await Array.fromAsync(storage.listUnfinished(key))),
  ];
  let results = await Promise.allSettled(tries.map((one) => one()));
  // What the storage notes says it; a server that answers something else to an id it never gave has told nothing.
  let done = results.every(({ status }) => status === "fulfilled");
  let missing = (storage.shortcomings ?? []).filter((sentence) => !before.has(sentence));
  for (let sentence of missing) report("warn", "clean up", sentence);
  if (done) report("ok", "clean up", "unfinished uploads can be found and aborted");
}

/** Puts, reads, compares and deletes one small object; what needs a failed step is left out. */
async function roundTrip(storage: Storage, key: string, report: Report): Promise<void> {
  let sent = new TextEncoder().encode(`s3-uploads check ${key}\n`);
  let found: Uint8Array | null = null;

  let stored = await step(report, "put", `stored ${sent.length} bytes as ${key}`, (signal) =>
    put(storage, key, sent, signal),
  );
  if (!stored) {
    report("warn", "read, delete", "not tried, because nothing could be stored");
    // A put whose answer was lost may have stored it after all.
    await storage.delete(key).catch(() => undefined);
    return;
  }
  await step(report, "read", "read them back", async (signal) => {
    let opened = await storage.open(key, undefined, signal);
    found = await new Response(opened.body).bytes();
  });
  if (found !== null) {
    if (Buffer.compare(found, sent) === 0) report("ok", "compare", "they are the same bytes");
    else report("FAIL", "compare", "the storage gave other bytes than it was sent: don't use it");
  }
  await inspectPublicity(storage, key, report);
  let deleted = await step(report, "delete", "deleted the object", () => storage.delete(key));
  if (!deleted) report("warn", "delete", `the object ${key} is left in the storage`);
}

async function put(storage: Storage, key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  await storage.put({
    key,
    body: (async function* () {
      yield bytes;
    })(),
    declaredBytes: bytes.length,
    mostBytes: bytes.length,
    contentType: "text/plain",
    userMetadata: {},
    sha256: () => new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    onMultipartCreated() {},
    signal,
  });
}

/** @returns whether it was done within its time */
async function step(
  report: Report,
  what: string,
  done: string,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  let signal = AbortSignal.timeout(stepTimeoutMs);
  try {
    await work(signal);
  } catch (error) {
    report("FAIL", what, sentenceOf(error, signal));
    return false;
  }
  report("ok", what, done);
  return true;
}

function sentenceOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) {
    let seconds = stepTimeoutMs / SECOND_MS;
    return `no answer within ${seconds} seconds: check s3_endpoint_url, s3_region and the network`;
  }
  return toAppError(error).message.replace(/\s+/g, " ");
}
