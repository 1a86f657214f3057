import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { auditInterrupted } from "../src/audit-interrupted.ts";
import { systemClock } from "../src/clock.ts";
import { createCommitSync } from "../src/commit-sync.ts";
import { silentLog } from "../src/log.ts";
import { createSqliteRepository } from "../src/record/sqlite-repository.ts";
import { closeDatabase } from "../src/sqlite.ts";
import { createAudit } from "../src/state/audit.ts";
import { openStateDatabase } from "../src/state/database.ts";
import { createJournal } from "../src/state/sqlite-journal.ts";
import { createWriteBehind } from "../src/state/write-behind.ts";
import { newFile } from "./record/new-file.ts";

const by = { actor: "token:a", address: "192.0.2.1", requestId: "r-1" };

let folder: string;
let world: ReturnType<typeof open>;

function open() {
  let state = openStateDatabase(join(folder, "state.db"));
  let behind = createWriteBehind(state);
  return {
    state,
    behind,
    journal: createJournal(state, createCommitSync(state), systemClock, behind),
    audit: createAudit(state, behind, systemClock),
    repository: createSqliteRepository({
      path: join(folder, "uploads.db"),
      tableName: "t",
      log: silentLog,
    }),
  };
}

/** What a kill does: whatever only waited to be written is gone. */
function killAndOpen() {
  world.repository.close();
  closeDatabase(world.state);
  world = open();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "audit-interrupted-"));
  world = open();
});
afterEach(() => {
  world.repository.close();
  closeDatabase(world.state);
  rmSync(folder, { recursive: true, force: true });
});

async function begin() {
  let row = newFile();
  let place = { uid: row.uid, storage: row.storage, bucket: row.bucket, key: row.s3_key };
  await world.journal.beginUpload({ ...place, by });
  return { row, place };
}

test("an upload whose close and entry were lost is written down at the next start, once", async () => {
  let { row } = await begin();
  let { record } = await world.repository.create(row, "store");
  world.audit.write("upload", by, { uid: row.uid }, "later");
  world.journal.closeUpload(row.uid);
  killAndOpen();
  expect(world.audit.list({ size: 9 })).toEqual([]);
  await auditInterrupted(world);
  await auditInterrupted(world);
  let [entry, ...others] = world.audit.list({ size: 9 });
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ event: "upload", by });
  expect(entry?.detail).toMatchObject({ file_id: record.id, uid: row.uid, recovered: true });
});

test("an upload that came to no row is not written down", async () => {
  await begin();
  killAndOpen();
  await auditInterrupted(world);
  expect(world.audit.list({ size: 9 })).toEqual([]);
});

test("an upload that is written down already, whose intent stayed open, is not again", async () => {
  let { row } = await begin();
  await world.repository.create(row, "store");
  world.audit.write("upload", by, { uid: row.uid });
  killAndOpen();
  await auditInterrupted(world);
  expect(world.audit.list({ size: 9 })).toHaveLength(1);
});

test("a deletion that recovery is going to finish is written down, one from the trash is already", async () => {
  let { row, place } = await begin();
  let { record } = await world.repository.create(row, "store");
  world.audit.write("upload", by, { uid: row.uid });
  await world.journal.beginDelete({ ...place, fileId: record.id, by });
  let other = await begin();
  let trashed = await world.repository.create(other.row, "store");
  world.audit.write("upload", by, { uid: other.row.uid });
  await world.journal.beginDelete({ ...other.place, fileId: trashed.record.id });
  killAndOpen();
  await auditInterrupted(world);
  let found = world.audit.list({ size: 9, event: "delete" });
  expect(found.map(({ detail }) => detail)).toEqual([
    { file_id: record.id, filename: row.filename, uid: row.uid, recovered: true },
  ]);
});
