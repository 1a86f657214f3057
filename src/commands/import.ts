import { join, resolve } from "node:path";

import type { Clock } from "../clock.ts";
import { createCommitSync } from "../commit-sync.ts";
import type { Config } from "../config/config.ts";
import { AppError, toAppError } from "../errors.ts";
import { startImport } from "../import/import-objects.ts";
import { showProgress } from "../import/progress.ts";
import type { ImportReport } from "../import/report.ts";
import { settleJournal } from "../import/settle-journal.ts";
import { silentLog } from "../log.ts";
import { createMarks } from "../marks.ts";
import { createSqliteRepository } from "../record/sqlite-repository.ts";
import { createRecovery } from "../recover.ts";
import { checkSmallDatabase, closeDatabase, isNewDatabase } from "../sqlite.ts";
import { openStateDatabase } from "../state/database.ts";
import { lockDataFolder } from "../state/lock.ts";
import { createResumableTable } from "../state/resumable-table.ts";
import { createJournal } from "../state/sqlite-journal.ts";
import { createTrashTable } from "../state/trash-table.ts";
import { createStorages } from "../storages.ts";
import { importJson, importText } from "./import-summary.ts";
import { type CommandOptions, valueOf } from "./options.ts";

export interface ImportCommand {
  config: Config;
  options: CommandOptions;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  /** Whether a line on stderr may be written over. */
  isTerminal: boolean;
  clock: Clock;
  /** Resolves when the process is asked to end. */
  stopped: Promise<string>;
}

/**
 * Brings into the catalog what is in the bucket and not in it. Keeps every server off the data folder meanwhile.
 *
 * @returns the exit status: 0 when every object has its row, 1 when a fault kept one from it, 3 when not everything could
 * be looked at
 */
export async function runImport(command: ImportCommand): Promise<number> {
  let { config, options, clock } = command;
  let prefix = valueOf(options, "prefix") ?? config.s3_prefix;
  using opened = new DisposableStack();
  let startMs = clock.nowMs();
  let report: ImportReport;
  try {
    report = await importInto(command, prefix, opened);
  } catch (thrown) {
    let error = toAppError(thrown);
    if (error.code !== "storage_unavailable") throw error;
    command.stderr(`s3-uploads: ${error.message}\n`);
    return couldNotLook;
  }
  let ms = clock.nowMs() - startMs;
  command.stdout(options["json"] ? importJson(report, ms) : importText(report, ms));
  return exitStatus(report);
}

const couldNotLook = 3;

async function importInto(
  command: ImportCommand,
  prefix: string,
  opened: DisposableStack,
): Promise<ImportReport> {
  let { config, clock, stderr: write, isTerminal } = command;
  let lock = lockDataFolder(config.data_dir, "import");
  opened.defer(() => lock.release());
  let state = openStateDatabase(join(config.data_dir, "internal", "state.db"));
  opened.defer(() => closeDatabase(state));
  let commits = createCommitSync(state);
  opened.defer(() => commits.close());
  let journal = createJournal(state, commits, clock);
  opened.defer(() => journal.flush());
  let storages = createStorages(config, silentLog);
  let storageFor = storages.of;
  let marks = createMarks({ storageFor, s3Prefix: config.s3_prefix, log: silentLog });

  // Uploads in pieces go on when the server is started again.
  let inPieces = new Set(
    createResumableTable(state, commits)
      .open()
      .map(({ uid }) => uid),
  );

  let catalogPath = join(config.data_dir, "uploads.db");
  // A damaged one may be put back from a copy: then the journal still has to be there.
  checkSmallDatabase(catalogPath);
  if (isNewDatabase(catalogPath)) {
    write(`There is no catalog ${resolve(catalogPath)}: it is made anew.\n`);
    let trashTable = createTrashTable(state, commits);
    if (
      (await settleJournal({ journal, trashTable, storageFor, marks, goesOn: (uid) => inPieces.has(uid) })) >
      0
    ) {
      // Before the new catalog is there: from then on an open intent without a row is an upload that was not finished.
      journal.flush();
      await commits.synced();
    }
  }
  let repository = createSqliteRepository({
    path: catalogPath,
    tableName: config.db_table_name,
    log: silentLog,
  });
  opened.defer(() => repository.close());
  let recovery = createRecovery({ journal, repository, storageFor, marks, log: silentLog, lateMs: 0 });
  for (let uid of inPieces) recovery.claim(uid);
  await recovery.hideDeletions();
  await recovery.run();

  let storage = storages.current;
  let isHere = (place: { storage: string; bucket: string }) =>
    place.storage === storage.name && place.bucket === storage.bucket;
  let interrupt = new AbortController();
  void command.stopped.then((signal) => interrupt.abort(new AppError("server_busy", signal)));
  let { report, done } = startImport({
    storage,
    repository,
    openKeys: new Set(
      journal
        .open()
        .filter(isHere)
        .map(({ key }) => key),
    ),
    options: { prefix, s3Prefix: config.s3_prefix, keepPosition: config.gps === "keep" },
    signal: interrupt.signal,
  });
  let progress = showProgress({ report, storage, prefix, clock, write, isTerminal });
  try {
    await done;
  } finally {
    progress.stop();
  }
  return report;
}

function exitStatus({
  brokenOff,
  problemCounts: { unreachable, lost, damaged, refused },
}: ImportReport): number {
  if (brokenOff !== null || unreachable > 0) return couldNotLook;
  return lost + damaged + refused > 0 ? 1 : 0;
}
