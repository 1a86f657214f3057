import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";

import type { Hono } from "hono";

import { createAdmission } from "./admission.ts";
import { createApp } from "./app.ts";
import { auditInterrupted } from "./audit-interrupted.ts";
import { serverActor } from "./audit-start.ts";
import { createAccess } from "./auth/access.ts";
import { ensureAccess, type EnsuredAccess, firstTokenName } from "./auth/first-token.ts";
import { createTrustedProxies } from "./auth/forwarding.ts";
import { createHostCheck } from "./auth/hosts.ts";
import { createSessionCookie } from "./auth/session-cookie.ts";
import { createSignIn } from "./auth/sign-in.tsx";
import type { Clock } from "./clock.ts";
import { createCommitSync } from "./commit-sync.ts";
import type { Config } from "./config/config.ts";
import { createDeleteFile, type DeleteFile } from "./delete-file.ts";
import type { AppError } from "./errors.ts";
import type { Ids } from "./ids.ts";
import { defaultHeadBytes, defaultTailBytes } from "./inspect/head-tail.ts";
import { createPolicy } from "./inspect/policy.ts";
import type { Log } from "./log.ts";
import { createThumbnailCache } from "./preview/thumbnail-cache.ts";
import { createThumbnails } from "./preview/thumbnails.ts";
import { createReadiness, type Readiness } from "./readiness.ts";
import { createReceiveUpload } from "./receive-upload.ts";
import { createSqliteRepository } from "./record/sqlite-repository.ts";
import { createRecovery } from "./recover.ts";
import { closeDatabase } from "./sqlite.ts";
import { type Audit, createAudit } from "./state/audit.ts";
import { openStateDatabase } from "./state/database.ts";
import { createIdempotency } from "./state/idempotency.ts";
import { lockDataFolder } from "./state/lock.ts";
import { sessionLifeMs } from "./state/sessions.ts";
import { createJournal } from "./state/sqlite-journal.ts";
import { createTokens } from "./state/tokens.ts";
import { createTrashTable } from "./state/trash-table.ts";
import { createWriteBehind } from "./state/write-behind.ts";
import { createStorages, type Storages } from "./storages.ts";
import { firstBlockBytes } from "./store/s3/part-buffer.ts";
import { createTotalQuota } from "./total-quota.ts";
import { createTrash, type Trash } from "./trash.ts";
import { DAY_MS, MIB, SECOND_MS } from "./units.ts";
import { createClientLimits } from "./web/client-limits.ts";
import type { WebEnv } from "./web/env.ts";

export interface OpenServer {
  app: Hono<WebEnv>;
  storages: Storages;
  readiness: Readiness;
  trash: Trash;
  audit: Audit;
  /** Brings back what an earlier process knew, and removes what it left. To be called before anybody is answered. */
  prepare(): Promise<void>;
  /** Makes sure that somebody can get in; asked once the port is known. */
  ensureAccess(port: number): EnsuredAccess;
  /** Ends every upload that is still at work with this error. */
  endUploads(reason: AppError): void;
  close(): void;
}

export interface OpenServerDeps {
  log: Log;
  clock: Clock;
  ids: Ids;
  /** What starts this program, for the process that draws thumbnails. */
  program: readonly string[];
  /** Hears that the disk fails: nothing that is acknowledged after it would be sure, so the process has to end. */
  onSyncFailure: (error: AppError) => void;
}

/**
 * Opens everything a server works with, in the order in which it depends on each other, and puts it together. Listens to
 * nothing. Rejects with an AppError whose message is for the operator; then nothing stays open.
 */
export function openServer(
  config: Config,
  { log, clock, ids, program, onSyncFailure }: OpenServerDeps,
): OpenServer {
  let undo = new DisposableStack();
  try {
    let lock = lockDataFolder(config.data_dir);
    undo.defer(() => lock.release());
    let stateDatabase = openStateDatabase(join(config.data_dir, "internal", "state.db"));
    undo.defer(() => closeDatabase(stateDatabase));
    let stateCommits = createCommitSync(stateDatabase, onSyncFailure);
    undo.defer(() => stateCommits.close());
    let behind = createWriteBehind(stateDatabase, (error) => {
      log.warn({ err: error }, "journal and audit log are written later");
    });
    let journal = createJournal(stateDatabase, stateCommits, clock, behind);
    undo.defer(() => journal.flush());
    let audit = createAudit(stateDatabase, behind, clock);
    let forgetting = setInterval(() => forgetOldEntries(audit, config.audit_days, log), DAY_MS).unref();
    undo.defer(() => clearInterval(forgetting));
    let tokens = createTokens(stateDatabase, clock);
    let repository = createSqliteRepository({
      path: join(config.data_dir, "uploads.db"),
      tableName: config.db_table_name,
      log,
      onSyncFailure,
    });
    undo.defer(() => repository.close());

    let storages = createStorages(config, log);
    let storageFor = storages.of;
    let recovery = createRecovery({ journal, repository, storageFor, log });
    let thumbnailCache = createThumbnailCache(join(config.data_dir, "internal", "thumbnails"));
    let deleteRowAndObject = createDeleteFile({ repository, journal, recovery, storageFor, audit });
    let deleteFile: DeleteFile = async (idOrUid, how) => {
      let deleted = await deleteRowAndObject(idOrUid, how);
      await thumbnailCache.remove(deleted.uid);
      return deleted;
    };
    let trashTable = createTrashTable(stateDatabase, stateCommits);
    let trash = createTrash({ table: trashTable, repository, deleteFile, clock, ids, log });
    undo.defer(() => trash.stop());
    let idempotency = createIdempotency(stateDatabase, stateCommits, clock);
    let maxFileBytes = config.max_file_size_mb * MIB;
    let receiveUpload = createReceiveUpload({
      storage: storages.current,
      repository,
      journal,
      recovery,
      idempotency,
      deleteFile,
      audit,
      quota: createTotalQuota(
        config.max_total_mb === 0 ? null : config.max_total_mb * MIB,
        repository.storedBytes,
      ),
      policy: createPolicy({
        maxFileBytes,
        allowedMimeTypes: config.allowed_mime_types,
        allowedExtensions: config.allowed_extensions,
        blockedExtensions: config.blocked_extensions,
        typeMismatch: config.type_mismatch,
      }),
      admission: createAdmission(storages.budget, defaultHeadBytes + 2 * defaultTailBytes + firstBlockBytes),
      clock,
      ids,
      options: {
        s3Prefix: config.s3_prefix,
        maxFileBytes,
        duplicates: config.duplicates,
        keepPosition: config.gps === "keep",
      },
    });

    let { base_path: basePath, public_url: publicUrl, allow_anonymous: allowAnonymous } = config;
    let cookie = createSessionCookie({ basePath, publicUrl, lifeSeconds: sessionLifeMs / SECOND_MS });
    let readiness = createReadiness(storages.current, recovery, log);
    undo.defer(() => readiness.stop());
    let ending = new AbortController();
    let app = createApp({
      repository,
      storageFor,
      receiveUpload: (files, context) =>
        receiveUpload(files, { ...context, signal: AbortSignal.any([context.signal, ending.signal]) }),
      deleteFile,
      trash,
      thumbnails: createThumbnails({
        storageFor,
        cache: thumbnailCache,
        program,
      }),
      audit,
      limits: createClientLimits(
        { requestsPerMinute: config.max_requests_per_minute, transfers: config.max_transfers_per_client },
        clock,
      ),
      access: createAccess({
        tokens,
        checkHost: createHostCheck({ host: config.host, publicUrl, hostname: hostname() }),
        trustedProxies: createTrustedProxies(config.trusted_proxies),
        cookie,
        basePath,
        publicUrl,
        anonymousScopes: allowAnonymous,
      }),
      signInRoutes: createSignIn({ tokens, cookie, clock, basePath, audit }),
      readiness: () => Promise.resolve(readiness.fault),
      log,
      clock,
      options: {
        basePath,
        publicUrl,
        downloadMode: config.download,
        storageOrigins: config.download === "redirect" ? storageOrigins(config) : [],
        maxFileBytes,
        allowedExtensions: config.allowed_extensions,
        blockedExtensions: config.blocked_extensions,
        stallTimeoutMs: config.stall_timeout_s * SECOND_MS,
        minBytesPerSecond: config.min_upload_rate,
      },
    });

    let opened = undo.move();
    return {
      app,
      storages,
      readiness,
      trash,
      audit,
      async prepare() {
        await storages.removeLeftovers();
        idempotency.forgetExpired();
        await auditInterrupted({ journal, repository, audit });
        audit.forget(config.audit_days);
        await recovery.hideDeletions();
        await trash.load();
        // Read now what would else hold up the first upload.
        if (config.max_total_mb > 0) await repository.storedBytes();
      },
      ensureAccess(port) {
        let ensured = ensureAccess({
          tokens,
          allowAnonymous,
          publicUrl,
          host: config.host,
          port,
          basePath,
          addresses: Object.values(networkInterfaces()).flatMap((list) => list ?? []),
          hostname: hostname(),
        });
        if (ensured.kind === "created") audit.write("token_created", serverActor, { name: firstTokenName });
        return ensured;
      },
      endUploads: (reason) => ending.abort(reason),
      close: () => opened.dispose(),
    };
  } finally {
    undo.dispose();
  }
}

function forgetOldEntries(audit: Audit, days: number, log: Log): void {
  try {
    audit.forget(days);
  } catch (error) {
    log.warn({ err: error }, "the audit log keeps its old entries for another day");
  }
}

/** Where presigned URLs point to, for the Content-Security-Policy of our pages. */
function storageOrigins(config: Config): string[] {
  let url = config.s3_public_endpoint_url ?? config.s3_endpoint_url;
  if (url === null) {
    let domain = config.s3_region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    let host = `s3.${config.s3_region}.${domain}`;
    return [config.s3_force_path_style ? `https://${host}` : `https://${config.s3_bucket}.${host}`];
  }
  let { protocol, host } = new URL(url);
  return [config.s3_force_path_style ? `${protocol}//${host}` : `${protocol}//${config.s3_bucket}.${host}`];
}
