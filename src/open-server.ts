import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";

import type { Hono } from "hono";

import { createAdmission } from "./admission.ts";
import { createAllowances } from "./allowance.ts";
import { createApp } from "./app.ts";
import { auditInterrupted } from "./audit-interrupted.ts";
import { serverActor } from "./audit-start.ts";
import { createAccess } from "./auth/access.ts";
import { createAttempts } from "./auth/attempts.ts";
import { createDatasetteCookie } from "./auth/datasette.ts";
import { ensureAccess, type EnsuredAccess, firstTokenName } from "./auth/first-token.ts";
import { createFormTokens } from "./auth/form-token.ts";
import { createTrustedProxies } from "./auth/forwarding.ts";
import { createHostCheck } from "./auth/hosts.ts";
import { createPasswords } from "./auth/passwords.ts";
import { createPeople } from "./auth/people.ts";
import { createSessionCookie } from "./auth/session-cookie.ts";
import { createSignIn } from "./auth/sign-in.tsx";
import { createThumbnailSignature } from "./auth/thumbnail-signature.ts";
import { type Clock, steadyClock } from "./clock.ts";
import { createCommitSync } from "./commit-sync.ts";
import type { Config } from "./config/config.ts";
import { refuseDamagedFiles } from "./damaged-database.ts";
import { writeDatasetteFiles } from "./datasette/files.ts";
import { thumbnailSecretPath, viewsOf } from "./datasette/views-of-config.ts";
import { createDeleteFile, type DeleteFile } from "./delete-file.ts";
import { AppError } from "./errors.ts";
import type { Ids } from "./ids.ts";
import { defaultHeadBytes, defaultTailBytes } from "./inspect/head-tail.ts";
import { createPolicy } from "./inspect/policy.ts";
import type { Log } from "./log.ts";
import { createMarks } from "./marks.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createThumbnailCache } from "./preview/thumbnail-cache.ts";
import { createThumbnails } from "./preview/thumbnails.ts";
import { createReadiness, type Readiness } from "./readiness.ts";
import { createReceiveUpload } from "./receive-upload.ts";
import { createRecordUpload } from "./record-upload.ts";
import { checkLargeCatalog } from "./record/check-catalog.ts";
import { createSqliteRepository } from "./record/sqlite-repository.ts";
import { createRecovery } from "./recover.ts";
import { createDigests } from "./resume/digests.ts";
import { createResumable, type Resumable } from "./resume/resumable.ts";
import { checkSmallDatabase, closeDatabase, isNewDatabase } from "./sqlite.ts";
import { type Audit, createAudit } from "./state/audit.ts";
import { openStateDatabase } from "./state/database.ts";
import { createIdempotency } from "./state/idempotency.ts";
import { createInvitations } from "./state/invitations.ts";
import type { Journal } from "./state/journal.ts";
import { lockDataFolder } from "./state/lock.ts";
import { createResumableTable } from "./state/resumable-table.ts";
import { openSecretFile } from "./state/secret-file.ts";
import { sessionLifeMs } from "./state/sessions.ts";
import { createJournal } from "./state/sqlite-journal.ts";
import { createTokens, SCOPES } from "./state/tokens.ts";
import { createTrashTable } from "./state/trash-table.ts";
import { createUsageTable } from "./state/usage.ts";
import { createUsers } from "./state/users.ts";
import { createWriteBehind } from "./state/write-behind.ts";
import { createStorages, type Storages } from "./storages.ts";
import { keyPrefixOf } from "./store/keys.ts";
import { isEmptyFolder } from "./store/local.ts";
import { firstBlockBytes } from "./store/s3/part-buffer.ts";
import { createSweep } from "./sweep.ts";
import { createTotalQuota } from "./total-quota.ts";
import { createTrash, type Trash } from "./trash.ts";
import { DAY_MS, MIB, SECOND_MS } from "./units.ts";
import { createNoteEvent, keepIn } from "./web/access-events.ts";
import { createClientLimits } from "./web/client-limits.ts";
import type { WebEnv } from "./web/env.ts";

export interface OpenServer {
  app: Hono<WebEnv>;
  storages: Storages;
  readiness: Readiness;
  trash: Trash;
  resumable: Pick<Resumable, "start">;
  audit: Audit;
  /** Brings back what an earlier process knew, and removes what it left. To be called before anybody is answered. */
  prepare(): Promise<void>;
  /** Whether the newest file should be in the local folder, and nothing is in that. To be asked before anything is put there. */
  isLocalFolderEmptied(): Promise<boolean>;
  /** Begins to look for damage in a catalog that is too large to look at before; what it finds is logged, and said by /readyz. */
  checkCatalog(): void;
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
  /** Of this program. */
  version: string;
  /** Hears that the disk fails: nothing that is acknowledged after it would be sure, so the process has to end. */
  onSyncFailure: (error: AppError) => void;
}

/**
 * Opens everything a server works with, in the order in which it depends on each other, and puts it together. Listens to
 * nothing. Rejects with an AppError whose message is for the operator; then nothing stays open.
 */
export function openServer(
  config: Config,
  { log, clock, ids, program, version, onSyncFailure }: OpenServerDeps,
): OpenServer {
  let undo = new DisposableStack();
  try {
    let lock = lockDataFolder(config.data_dir);
    undo.defer(() => lock.release());
    let statePath = join(config.data_dir, "internal", "state.db");
    let catalogPath = join(config.data_dir, "uploads.db");
    for (let path of [statePath, catalogPath]) checkSmallDatabase(path);
    let stateDatabase = openStateDatabase(statePath);
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
    if (isNewDatabase(catalogPath)) refuseIfCatalogIsLost(catalogPath, journal, audit);
    let thumbnailSignature = createThumbnailSignature(openSecretFile(thumbnailSecretPath(config.data_dir)));
    let views = (table: string) => viewsOf(config, table, thumbnailSignature.value);
    let repository = createSqliteRepository({
      path: catalogPath,
      tableName: config.db_table_name,
      log,
      onSyncFailure,
      views,
    });
    undo.defer(() => repository.close());
    let catalogFault: AppError | null = null;
    let stopChecking: (() => void) | null = null;
    undo.defer(() => stopChecking?.());
    writeDatasetteFiles(config.data_dir, repository.table, views(repository.table), log);

    let metrics = createMetrics(version);
    let storages = createStorages(config, log, metrics.storageCalled);
    let storageFor = storages.of;
    let allowances = createAllowances(createUsageTable(stateDatabase, stateCommits));
    let users = createUsers(stateDatabase, clock);
    let invitations = createInvitations(stateDatabase, clock);
    let attempts = createAttempts(steadyClock);
    let passwords = createPasswords();
    let people = createPeople({ users, passwords, attempts, clock: steadyClock });
    let note = createNoteEvent(log, keepIn(audit));
    let marks = createMarks({ storageFor, s3Prefix: config.s3_prefix, log });
    let recovery = createRecovery({
      journal,
      repository,
      storageFor,
      marks,
      log,
      lateMs: config.s3_timeout_s * SECOND_MS,
    });
    undo.defer(() => recovery.stop());
    let thumbnailCache = createThumbnailCache(join(config.data_dir, "internal", "thumbnails"));
    let deleteRowAndObject = createDeleteFile({ repository, journal, recovery, storageFor, marks, audit });
    let deleteFile: DeleteFile = async (idOrUid, how) => {
      let deleted = await deleteRowAndObject(idOrUid, how);
      await thumbnailCache.remove(deleted.uid);
      return deleted;
    };
    let trashTable = createTrashTable(stateDatabase, stateCommits);
    let trash = createTrash({
      table: trashTable,
      repository,
      deleteFile,
      clock,
      steady: steadyClock,
      ids,
      log,
    });
    undo.defer(() => trash.stop());
    let idempotency = createIdempotency(stateDatabase, stateCommits, clock);
    let maxFileBytes = config.max_file_size_mb * MIB;
    let policy = createPolicy({
      maxFileBytes,
      allowedMimeTypes: config.allowed_mime_types,
      allowedExtensions: config.allowed_extensions,
      blockedExtensions: config.blocked_extensions,
      typeMismatch: config.type_mismatch,
    });
    let inspectBytes = defaultHeadBytes + 2 * defaultTailBytes + firstBlockBytes;
    let admission = createAdmission(storages.budget, inspectBytes);
    let quota = createTotalQuota(
      config.max_total_mb === 0 ? null : config.max_total_mb * MIB,
      repository.storedBytes,
    );
    let recordUpload = createRecordUpload({
      repository,
      journal,
      recovery,
      audit,
      metrics,
      options: { duplicates: config.duplicates, keepPosition: config.gps === "keep" },
    });
    let receiveUpload = createReceiveUpload({
      storage: storages.current,
      repository,
      recordUpload,
      journal,
      recovery,
      idempotency,
      deleteFile,
      quota,
      policy,
      admission,
      clock,
      ids,
      options: { s3Prefix: config.s3_prefix, maxFileBytes },
    });
    let resumableTable = createResumableTable(stateDatabase, stateCommits);
    let resumable = createResumable({
      storage: storages.current,
      storageFor,
      table: resumableTable,
      repository,
      recordUpload,
      journal,
      recovery,
      policy,
      admission,
      digests: createDigests(),
      clock,
      ids,
      log,
      allowances,
      quota,
      s3Prefix: config.s3_prefix,
      maxFileBytes,
    });
    undo.defer(() => resumable.stop());

    let { base_path: basePath, public_url: publicUrl, allow_anonymous: allowAnonymous } = config;
    let cookie = createSessionCookie({ basePath, publicUrl, lifeSeconds: sessionLifeMs / SECOND_MS });
    let sweep = createSweep({
      journal,
      repository,
      storage: storages.current,
      prefix: config.s3_prefix,
      clock,
      log,
    });
    let readiness = createReadiness(storages.current, recovery, sweep, log);
    undo.defer(() => readiness.stop());
    let fault = () => catalogFault ?? readiness.fault;
    metrics.watch({
      isReady: () => fault() === null,
      memory: storages.budget,
      openIntents: () => journal.open().length,
      openResumableUploads: resumableTable.countOpen,
    });
    let ending = new AbortController();
    let app = createApp({
      repository,
      storageFor,
      receiveUpload: (files, context) =>
        receiveUpload(files, { ...context, signal: AbortSignal.any([context.signal, ending.signal]) }),
      resumable,
      deleteFile,
      trash,
      thumbnails: createThumbnails({
        storageFor,
        cache: thumbnailCache,
        program,
      }),
      thumbnailSignature,
      audit,
      limits: createClientLimits(
        { requestsPerMinute: config.max_requests_per_minute, transfers: config.max_transfers_per_client },
        steadyClock,
      ),
      access: createAccess({
        tokens,
        checkHost: createHostCheck({ host: config.host, publicUrl, hostname: hostname() }),
        trustedProxies: createTrustedProxies(config.trusted_proxies),
        cookie,
        basePath,
        publicUrl,
        anonymousScopes: allowAnonymous,
        people,
        invitations,
        datasette:
          config.datasette_secret === null
            ? null
            : {
                read: createDatasetteCookie(config.datasette_secret, clock),
                actors: config.datasette_actors,
              },
        proxy:
          config.proxy_user_header === null
            ? null
            : { header: config.proxy_user_header, users: config.proxy_users },
        note,
      }),
      accounts: {
        tokens,
        users,
        invitations,
        allowances,
        people,
        passwords,
        attempts,
        cookie,
        formTokens: createFormTokens(),
        note,
      },
      signInRoutes: createSignIn({
        tokens,
        cookie,
        clock: steadyClock,
        basePath,
        people,
        users,
        attempts,
        note,
      }),
      readiness: async () => catalogFault ?? (await readiness.ask()),
      metrics,
      log,
      clock: steadyClock,
      options: {
        version,
        basePath,
        publicUrl,
        downloadMode: config.download,
        storageOrigins: config.download === "redirect" ? storageOrigins(config) : [],
        maxFileBytes,
        resumableBytes: config.resumable_from_mb * MIB,
        allowedExtensions: config.allowed_extensions,
        blockedExtensions: config.blocked_extensions,
        stallTimeoutMs: config.stall_timeout_s * SECOND_MS,
        minBytesPerSecond: config.min_upload_rate,
        keyPrefixOf: (folder) => keyPrefixOf(config.s3_prefix, folder),
      },
    });

    let opened = undo.move();
    return {
      app,
      storages,
      readiness,
      trash,
      resumable,
      audit,
      async prepare() {
        await storages.removeLeftovers();
        idempotency.forgetExpired();
        resumable.load();
        await allowances.settle(async (uid) => (await repository.get(uid)) !== null);
        await auditInterrupted({ journal, repository, audit });
        audit.forget(config.audit_days);
        await recovery.hideDeletions();
        await trash.load();
        // Read now what would else hold up the first upload.
        if (config.max_total_mb > 0) await repository.storedBytes();
      },
      async isLocalFolderEmptied() {
        let newest = (await repository.list({ size: 1 })).rows[0];
        if (newest?.storage !== "local") return false;
        // A folder that can't be read is readiness's to tell of.
        return isEmptyFolder(join(config.data_dir, "objects")).catch(() => false);
      },
      checkCatalog() {
        stopChecking = checkLargeCatalog(catalogPath, (error) => {
          catalogFault = error;
          log.error({ reason: error.message }, "the catalog is not sound");
        });
      },
      ensureAccess(port) {
        let ensured = ensureAccess({
          tokens,
          users,
          allowAnonymous,
          publicUrl,
          host: config.host,
          port,
          basePath,
          addresses: Object.values(networkInterfaces()).flatMap((list) => list ?? []),
          hostname: hostname(),
        });
        if (ensured.kind === "created")
          audit.write("token_created", serverActor, {
            subject: `token:${firstTokenName}`,
            scopes: [...SCOPES],
          });
        return ensured;
      },
      endUploads(reason) {
        ending.abort(reason);
        resumable.endRequests(reason);
      },
      close: () => opened.dispose(),
    };
  } finally {
    undo.dispose();
  }
}

/**
 * Beside a new catalog recovery would take an acknowledged upload, whose intent happens to be open, for one that never
 * came to be, and remove it. One without a byte is not new when a server was up before: that had made its first page.
 */
function refuseIfCatalogIsLost(catalogPath: string, journal: Journal, audit: Audit): void {
  let open = journal.open().length;
  if (open === 0) return refuseDamagedFiles(catalogPath, () => audit.last("server_started") !== null);
  throw new AppError(
    "internal_error",
    `The catalog ${catalogPath} is gone, but the journal knows of ${open} uploads or deletions that were under way with it. Put it back from a backup, or run "s3-uploads import", which makes it anew from what is in storage.`,
  );
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
