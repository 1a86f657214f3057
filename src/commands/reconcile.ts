import { join } from "node:path";

import { createCommitSync } from "../commit-sync.ts";
import { AppError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { createMarks } from "../marks.ts";
import { createThumbnailCache } from "../preview/thumbnail-cache.ts";
import { FINDING_KINDS } from "../reconcile/finding.ts";
import { reconcile, type Reconciled, remaining, type RepairPlan } from "../reconcile/reconcile.ts";
import { createRepair } from "../reconcile/repair.ts";
import { settleJournal } from "../reconcile/settle.ts";
import { openCatalogAudit } from "../record/catalog-audit.ts";
import { createSqliteRepository } from "../record/sqlite-repository.ts";
import { createRecovery } from "../recover.ts";
import { closeDatabase } from "../sqlite.ts";
import { openStateDatabase } from "../state/database.ts";
import { lockDataFolder } from "../state/lock.ts";
import { openIntentsReader } from "../state/open-intents.ts";
import { createRemovedRows } from "../state/removed-rows.ts";
import { createResumableTable } from "../state/resumable-table.ts";
import { createJournal } from "../state/sqlite-journal.ts";
import { createStorages, type Storages } from "../storages.ts";
import { SECOND_MS } from "../units.ts";
import type { CommandContext } from "./command.ts";
import { jsonReport } from "./reconcile-json.ts";
import { readReconcileOptions, type ReconcileOptions } from "./reconcile-options.ts";
import { createProgressLine } from "./reconcile-progress.ts";
import type { Report } from "./reconcile-report.ts";
import { textReport } from "./reconcile-text.ts";

const agreesStatus = 0;
const wrongStatus = 1;
const usageStatus = 2;
const notLookedStatus = 3;

interface Context extends Pick<CommandContext, "config" | "options" | "stdout" | "stderr" | "clock"> {
  /** Whether somebody watches stderr. */
  isTerminal: boolean;
}

/**
 * Compares bucket, catalog and journal and, with `--repair`, puts right what can be put right.
 * @returns 0 when nothing is left to do, 1 when something is wrong, 2 for options that can't be used, 3 when not everything
 *   could be looked at
 */
export async function runReconcile(context: Context): Promise<number> {
  let options: ReconcileOptions;
  try {
    options = readReconcileOptions(context.options);
  } catch (error) {
    return failed(context, error, usageStatus);
  }
  try {
    return await compare(context, options);
  } catch (error) {
    return failed(context, error, notLookedStatus);
  }
}

function failed({ stderr }: Context, error: unknown, status: number): number {
  if (!(error instanceof AppError)) throw error;
  stderr(`s3-uploads: ${error.message}\n`);
  return status;
}

async function compare(context: Context, options: ReconcileOptions): Promise<number> {
  let { config, clock } = context;
  using undo = new DisposableStack();
  // First of all: a repair must not make a data folder where there is none.
  let catalog = openCatalogAudit({
    path: join(config.data_dir, "uploads.db"),
    tableName: config.db_table_name,
  });
  undo.defer(() => catalog.close());
  let storages = createStorages(config, silentLog);
  let begunMs = performance.now();
  let plan = options.repair ? await prepareRepair(context, options, storages, undo) : null;
  let intents = openIntentsReader(join(config.data_dir, "internal", "state.db"));
  undo.defer(() => intents.close());

  let line = createProgressLine(context);
  let write = (text: string): void => {
    line.clear();
    context.stdout(text);
  };
  let place = { storage: storages.current, prefix: config.s3_prefix, options };
  let report: Report = options.json ? jsonReport(write) : textReport(write, place);
  let result = await reconcile(
    {
      storage: storages.current,
      storageFor: storages.of,
      catalog,
      intents,
      clock,
      options: {
        prefix: config.s3_prefix,
        minAgeMs: options.minAgeMs,
        keepMs: options.keepMs,
        deep: options.deep,
      },
    },
    plan,
    { ...report, progress: line.show },
  );
  line.clear();
  let exitStatus = statusOf(result);
  report.end({ ...result, options, exitStatus, tookMs: performance.now() - begunMs });
  return exitStatus;
}

/** Takes the data folder for this process. */
async function prepareRepair(
  { config, clock }: Context,
  { force }: ReconcileOptions,
  storages: Storages,
  undo: DisposableStack,
): Promise<RepairPlan> {
  let internal = join(config.data_dir, "internal");
  let lock = lockDataFolder(config.data_dir, "repair");
  undo.defer(() => lock.release());
  let state = openStateDatabase(join(internal, "state.db"));
  undo.defer(() => closeDatabase(state));
  let commits = createCommitSync(state);
  undo.defer(() => commits.close());
  let journal = createJournal(state, commits, clock);
  undo.defer(() => journal.flush());
  let repository = createSqliteRepository({
    path: join(config.data_dir, "uploads.db"),
    tableName: config.db_table_name,
    log: silentLog,
  });
  undo.defer(() => repository.close());

  await storages.removeLeftovers();
  let storageFor = storages.of;
  let marks = createMarks({ storageFor, s3Prefix: config.s3_prefix, log: silentLog });
  let lateMs = config.s3_timeout_s * SECOND_MS;
  let recovery = createRecovery({ journal, repository, storageFor, marks, log: silentLog, lateMs });
  let resumable = createResumableTable(state, commits);
  let thumbnails = createThumbnailCache(join(internal, "thumbnails"));
  let repair = createRepair({
    storage: storages.current,
    prefix: config.s3_prefix,
    marks,
    repository,
    removedRows: createRemovedRows(state, commits),
    clock,
    forget: (uid) => thumbnails.remove(uid),
  });
  async function recover(): Promise<void> {
    let canGoOn = new Set(resumable.open().map(({ uid }) => uid));
    await settleJournal({ recovery, journal, canGoOn, nowMs: clock.nowMs(), lateMs });
    // What it has closed is to be seen by the connection that only reads.
    journal.flush();
  }
  return { repair, recover, force };
}

function statusOf(result: Reconciled): number {
  let { totals, notRemoved } = result;
  if (totals.notLooked > 0 || !totals.listed) return notLookedStatus;
  let isLeft = notRemoved > 0 || FINDING_KINDS.some((kind) => remaining(result, kind) > 0);
  return isLeft ? wrongStatus : agreesStatus;
}
