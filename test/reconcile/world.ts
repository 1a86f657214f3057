import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../../src/clock.ts";
import { createCommitSync } from "../../src/commit-sync.ts";
import type { NewFileRecord } from "../../src/domain.ts";
import { silentLog } from "../../src/log.ts";
import { createMarks } from "../../src/marks.ts";
import type { Finding, Outcome } from "../../src/reconcile/finding.ts";
import { reconcile, type Reconciled } from "../../src/reconcile/reconcile.ts";
import { createRepair } from "../../src/reconcile/repair.ts";
import { settleJournal } from "../../src/reconcile/settle.ts";
import type { SurveyDeps } from "../../src/reconcile/survey.ts";
import { openCatalogAudit } from "../../src/record/catalog-audit.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";
import { createRecovery } from "../../src/recover.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { openIntentsReader } from "../../src/state/open-intents.ts";
import { createRemovedRows } from "../../src/state/removed-rows.ts";
import { createResumableTable } from "../../src/state/resumable-table.ts";
import { createJournal } from "../../src/state/sqlite-journal.ts";
import { objectKey, userMetadataOf } from "../../src/store/keys.ts";
import type { Storage } from "../../src/store/storage.ts";
import { DAY_MS } from "../../src/units.ts";
import { newFile } from "../record/new-file.ts";
import { bytesOf, putRequest, sha256Of } from "../store/bodies.ts";

export const prefix = "uploads/";

export interface RunOptions extends Partial<SurveyDeps["options"]> {
  force?: boolean;
  /** How far the clock is ahead; two days unless told, so that everything is old. */
  aheadMs?: number;
}

export interface Told {
  finding: Finding;
  outcome: Outcome;
}

/** A catalog, a journal and a storage, and what a comparison says about them. */
export function createReconcileWorld(storage: Storage, storageFor: () => Storage = () => storage) {
  let folder = mkdtempSync(join(tmpdir(), "s3-uploads-reconcile-"));
  let state = openStateDatabase(join(folder, "state.db"));
  let commits = createCommitSync(state);
  let journal = createJournal(state, commits, systemClock);
  let path = join(folder, "uploads.db");
  let repository = createSqliteRepository({ path, tableName: "s3_uploads", log: silentLog });
  let catalog = openCatalogAudit({ path, tableName: "s3_uploads" });
  let intents = openIntentsReader(join(folder, "state.db"));
  let forgotten: string[] = [];

  /** A row and its object, or one of them. */
  async function file(
    facts: Partial<NewFileRecord> = {},
    { object = true, row = true, bytes = bytesOf(100) } = {},
  ) {
    let uid = facts.uid ?? Bun.randomUUIDv7();
    let createdAtMs = Date.now();
    let record = newFile({
      uid,
      storage: storage.name,
      bucket: storage.bucket,
      s3_key: objectKey({ prefix, uid, extension: "bin", createdAtMs }),
      size_bytes: bytes.byteLength,
      checksum_sha256: sha256Of(bytes),
      created_at: new Date(createdAtMs).toISOString(),
      ...facts,
    });
    if (object) {
      let { filename, created_at: createdAt } = record;
      let userMetadata = userMetadataOf({ uid, filename, createdAt });
      await storage.put(putRequest(record.s3_key, bytes, { userMetadata }));
    }
    return row ? (await repository.create(record, "store")).record : { ...record, id: 0 };
  }

  let resumable = createResumableTable(state, commits);
  let marks = createMarks({ storageFor, s3Prefix: prefix, log: silentLog });

  function depsOf({ aheadMs = 2 * DAY_MS, ...options }: RunOptions): SurveyDeps {
    let clock = { nowMs: () => Date.now() + aheadMs };
    let defaults = { prefix, minAgeMs: DAY_MS, keepMs: 30 * DAY_MS, deep: false };
    return { storage, storageFor, catalog, intents, clock, options: { ...defaults, ...options } };
  }

  async function run(options: RunOptions, repairs: boolean) {
    let told: Told[] = [];
    let notLooked: string[] = [];
    let removed: string[] = [];
    let deps = depsOf(options);
    let repair = createRepair({
      storage,
      prefix,
      marks,
      repository,
      removedRows: createRemovedRows(state, commits),
      clock: deps.clock,
      forget: async (uid) => void forgotten.push(uid),
    });
    journal.flush();
    async function recover(): Promise<void> {
      let recovery = createRecovery({ journal, repository, storageFor, marks, log: silentLog, lateMs: 0 });
      let canGoOn = new Set(resumable.open().map(({ uid }) => uid));
      await settleJournal({ recovery, journal, canGoOn, nowMs: Date.now(), lateMs: 0 });
      journal.flush();
    }
    let result: Reconciled = await reconcile(
      deps,
      repairs ? { repair, recover, force: options.force ?? false } : null,
      {
        found: (finding, outcome) => void told.push({ finding, outcome }),
        notLooked: ({ key }) => void notLooked.push(key),
        removed: (key) => void removed.push(key),
        progress() {},
      },
    );
    let kinds = told.map(({ finding }) => finding.kind).toSorted();
    let actions = told.map(({ finding, outcome }) => `${finding.kind} ${outcome.action}`).toSorted();
    return { ...result, told, kinds, actions, notLooked, removed };
  }

  return {
    folder,
    storage,
    journal,
    resumable,
    state,
    repository,
    catalog,
    forgotten,
    file,
    report: (options: RunOptions = {}) => run(options, false),
    repair: (options: RunOptions = {}) => run(options, true),
    async keys(): Promise<string[]> {
      return (await Array.fromAsync(storage.list(""))).map(({ key }) => key);
    },
    removedRows: () =>
      state.query<{ uid: string; row_json: string; reason: string }, []>("SELECT * FROM removed_rows").all(),
    close() {
      intents.close();
      catalog.close();
      repository.close();
      journal.flush();
      commits.close();
      state.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type ReconcileWorld = ReturnType<typeof createReconcileWorld>;
