import { resolve } from "node:path";

import { auditStart, serverActor } from "../audit-start.ts";
import type { EnsuredAccess } from "../auth/first-token.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { AppError } from "../errors.ts";
import type { Ids } from "../ids.ts";
import type { Log } from "../log.ts";
import { type OpenServer, openServer } from "../open-server.ts";
import { endsWithin } from "../soon.ts";
import { isNewDatabase } from "../sqlite.ts";
import { wasServed } from "../state/lock.ts";
import { SECOND_MS } from "../units.ts";
import { withAbsoluteUrl } from "../web/absolute-url.ts";
import { idleTimeoutSeconds } from "../web/env.ts";

/** What uploads get to finish in after SIGTERM; supervisors kill after 30 s. */
const drainMs = 25 * SECOND_MS;
/** What ended uploads get to clean up in. */
const cleanupMs = 4 * SECOND_MS;
/** Bytes are counted by ourselves, so that every refusal is our 413 and not Bun's cut connection. */
const maxRequestBodyBytes = Number.MAX_SAFE_INTEGER;

export interface ServeOptions {
  config: Config;
  version: string;
  log: Log;
  clock: Clock;
  ids: Ids;
  /** What starts this program, for the process that draws thumbnails. */
  program: readonly string[];
  write: (text: string) => void;
  /** Resolves when the process is asked to end. */
  stopped: Promise<string>;
}

/** Runs the server until it is asked to end. Rejects with an AppError for the operator when it can't start. */
export async function runServe(options: ServeOptions): Promise<void> {
  let { config, log, write, stopped } = options;
  let isNew = isNewDatabase(resolve(config.data_dir, "uploads.db"));
  let isLost = isNew && wasServed(config.data_dir);
  let isStateLost = !isNew && isNewDatabase(resolve(config.data_dir, "internal", "state.db"));
  let opened = openServer(config, { ...options, onSyncFailure: (error) => endAtOnce(log, error) });
  try {
    await opened.prepare();
    let isEmptied = await opened.isLocalFolderEmptied();
    await opened.readiness.start();
    let { fault } = opened.readiness;
    if (fault && fault.code !== "storage_unavailable") throw fault;
    let server = listen(config, opened);
    opened.trash.start();
    opened.checkCatalog();
    opened.resumable.start();
    auditStart(opened.audit, config, options.version);
    let access = opened.ensureAccess(server.port ?? config.port);
    write(banner(options, opened, access, { isNew, isLost, isStateLost, isEmptied }));
    log.info({ port: server.port, storage: opened.storages.current.name }, "listening");
    let signal = await stopped;
    log.info({ signal }, "ending: uploads under way may finish");
    await drain(server, opened);
    opened.audit.write("server_stopped", serverActor, { signal });
    log.info({}, "ended");
  } finally {
    opened.close();
  }
}

/** Uploads under way go unanswered, and recovery looks at them when the server is started again. */
function endAtOnce(log: Log, error: AppError): never {
  log.error({ reason: error.message }, "ending at once: the disk fails");
  process.exit(1);
}

function listen(config: Config, { app }: OpenServer): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname: config.host,
      port: config.port,
      idleTimeout: idleTimeoutSeconds,
      maxRequestBodySize: maxRequestBodyBytes,
      development: false,
      // With `development: false` Bun would share the port with whoever else listens there, and every second request.
      reusePort: false,
      fetch: (request, server) => app.fetch(withAbsoluteUrl(request), server),
    });
  } catch (error) {
    throw new AppError(
      "internal_error",
      `Can't listen on ${config.host}:${config.port} (${(error as Error).message}): change host or port, or stop what listens there.`,
      { cause: error },
    );
  }
}

async function drain(server: Bun.Server<undefined>, opened: OpenServer): Promise<void> {
  let finished = server.stop();
  if (await endsWithin(finished, drainMs)) return;
  opened.endUploads(new AppError("server_busy", "The server is being stopped; try again in a moment."));
  if (await endsWithin(finished, cleanupMs)) return;
  await server.stop(true);
  await Bun.sleep(SECOND_MS);
}

const lostCatalog =
  'The catalog is new, but this data folder is not. If uploads.db was lost, stop the server and run "s3-uploads import", or put a copy back.';

const lostState =
  'internal/state.db is new, but the catalog is not: tokens, users and invitations have to be made anew. If it was lost, "s3-uploads reconcile" tells what was under way; or stop the server and put a copy back.';

const emptied =
  "The catalog has files in objects/, and nothing is in there: is a disk not mounted? Stop the server before files come to the wrong place.";

/** What a start has found in the data folder. */
interface Found {
  isNew: boolean;
  isLost: boolean;
  isStateLost: boolean;
  isEmptied: boolean;
}

function banner(
  { config, version }: ServeOptions,
  { storages, readiness }: OpenServer,
  access: EnsuredAccess,
  { isNew, isLost, isStateLost, isEmptied }: Found,
): string {
  let base = `${access.base}${config.base_path}`;
  let { current } = storages;
  let place =
    current.name === "local"
      ? `local folder ${resolve(config.data_dir, "objects")}`
      : `S3 bucket ${current.bucket}, keys ${config.s3_prefix}…, at ${config.s3_endpoint_url ?? `AWS ${config.s3_region}`}`;
  let token = access.kind === "open" ? "" : ' -H "Authorization: Bearer TOKEN"';
  let rows: [string, string][] = [
    ["Page", base || "/"],
    ["Upload", `curl -F file=@photo.jpg${token} ${base}/upload`],
    ["Catalog", `${resolve(config.data_dir, "uploads.db")}${isNew ? " (new)" : ""}`],
    ["Storage", place],
  ];
  if (isLost) rows.push(["Warning", lostCatalog]);
  if (isStateLost) rows.push(["Warning", lostState]);
  if (isEmptied) rows.push(["Warning", emptied]);
  if (readiness.fault) rows.push(["Warning", readiness.fault.message]);
  for (let sentence of current.shortcomings ?? []) rows.push(["Warning", sentence]);
  if (access.kind === "created") rows.push(["Sign in", access.link]);
  if (access.kind !== "open") rows.push(["", access.sentence]);
  let lines = rows.map(([name, value]) => `  ${name.padEnd(8)} ${value}\n`);
  return `s3-uploads ${version}\n${lines.join("")}`;
}
