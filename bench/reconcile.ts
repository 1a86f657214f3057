/**
 * Measures `reconcile` at many objects: a catalog with as many rows, and a storage that lists as many objects and costs
 * nothing itself, so that what is left is ours. `bun bench/reconcile.ts [OBJECTS]`; each scenario is a process of its own.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";
import { reconcile } from "../src/reconcile/reconcile.ts";
import { openCatalogAudit } from "../src/record/catalog-audit.ts";
import { createSqliteRepository } from "../src/record/sqlite-repository.ts";
import { openIntentsReader } from "../src/state/open-intents.ts";
import { linkMarkKey, uidInKey } from "../src/store/key-kinds.ts";
import type { Storage } from "../src/store/storage.ts";
import { DAY_MS, MIB, SECOND_MS } from "../src/units.ts";
import { table } from "./table.ts";
import { peakBytes } from "./usage.ts";

const prefix = "uploads/";
const months = 12;
const sizeBytes = 1000;
const oldMs = Date.UTC(2026, 0, 1);

/** Which objects and rows there are, of those with the numbers from 0 on. */
interface Scenario {
  name: string;
  hasObject: (n: number) => boolean;
  hasRow: (n: number) => boolean;
  /** Rows that share the object before them, each with its mark. */
  isLinked: (n: number) => boolean;
}

let every = (): boolean => true;
let never = (): boolean => false;
const scenarios: Scenario[] = [
  { name: "everything agrees", hasObject: every, hasRow: every, isLinked: never },
  {
    name: "5 rows and 5 objects alone",
    hasObject: (n) => n % 200_000 !== 7,
    hasRow: (n) => n % 200_000 !== 100_007,
    isLinked: never,
  },
  { name: "every tenth row is linked", hasObject: every, hasRow: every, isLinked: (n) => n % 10 === 9 },
  { name: "the catalog is empty", hasObject: every, hasRow: never, isLinked: never },
  { name: "the bucket is empty", hasObject: never, hasRow: every, isLinked: never },
];

function uidOf(n: number): string {
  let hex = n.toString(16).padStart(8, "0");
  return `${hex}-5a6b-7c8d-9e0f-${hex.padStart(12, "0")}`;
}

function keyOf(n: number, all: number): string {
  let month = Math.floor((n / all) * months) + 1;
  return `${prefix}2026/${String(month).padStart(2, "0")}/${uidOf(n)}.bin`;
}

function unused(): never {
  throw new Error("not part of the measurement");
}

/** Answers at once; `calls` counts what would be a request to S3. */
function fakeStorage(all: number, scenario: Scenario) {
  let calls = 0;
  let storage: Storage = {
    name: "s3",
    bucket: "bench",
    async *list(from, { startAfter = "" } = {}) {
      let given = 0;
      // The only continuations here are second looks, which begin at an object of ours.
      let uid = uidInKey(`${startAfter}n.`);
      let start = uid === null ? 0 : Number.parseInt(uid.slice(0, 8), 16);
      for (let n = start; n < all; n++) {
        if (!scenario.hasObject(n) || scenario.isLinked(n)) continue;
        let key = keyOf(n, all);
        if (!key.startsWith(from) || key <= startAfter) continue;
        if (given++ % 1000 === 0) calls++;
        yield { key, sizeBytes, lastModifiedMs: oldMs };
      }
      for (let n = 0; n < all; n++) {
        if (!scenario.isLinked(n)) continue;
        let key = linkMarkKey(prefix, uidOf(n));
        if (!key.startsWith(from) || key <= startAfter) continue;
        if (given++ % 1000 === 0) calls++;
        yield { key, sizeBytes: 0, lastModifiedMs: oldMs };
      }
    },
    async head(key) {
      calls++;
      let n = Number.parseInt(uidInKey(key)?.slice(0, 8) ?? "0", 16);
      return scenario.hasObject(n) ? { key, sizeBytes, lastModifiedMs: oldMs } : null;
    },
    async *listUnfinished() {},
    put: unused,
    resumable: { partBytesFor: unused, receive: unused, complete: unused },
    open: unused,
    delete: unused,
    move: unused,
    presign: unused,
    abortMultipart: unused,
    probe: unused,
  };
  return { storage, calls: () => calls };
}

/** Rows through the real schema, without the search index, which costs most of the time and is not looked at. */
function makeCatalog(path: string, all: number, { hasRow, isLinked }: Scenario): void {
  createSqliteRepository({ path, tableName: "s3_uploads", log: silentLog }).close();
  using db = new Database(path);
  db.run("DROP TRIGGER s3_uploads_fts_insert");
  let insert = db.prepare(
    `INSERT INTO s3_uploads (uid, filename, storage, bucket, s3_key, content_type, kind, size_bytes, checksum_sha256,
       metadata_json, created_at, created_date)
     VALUES (?, ?, 's3', 'bench', ?, 'image/jpeg', 'image', ?, ?, '{"make":"Camera"}', '2026-01-01T00:00:00Z', '2026-01-01')`,
  );
  db.transaction(() => {
    for (let n = 0; n < all; n++) {
      if (!hasRow(n)) continue;
      let uid = uidOf(n);
      let key = keyOf(isLinked(n) ? n - 1 : n, all);
      insert.run(uid, `IMG_${n}.jpg`, key, sizeBytes, n.toString(16).padStart(64, "0"));
    }
  }).immediate();
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

/** One scenario in this process; prints a row of the table as JSON. */
async function runOne(all: number, scenario: Scenario): Promise<void> {
  let folder = mkdtempSync(join(tmpdir(), "s3-uploads-bench-reconcile-"));
  try {
    let path = join(folder, "uploads.db");
    let made = Bun.spawnSync([process.execPath, import.meta.path, String(all), scenario.name, path]);
    if (made.exitCode !== 0) throw new Error(made.stderr.toString());
    let catalog = openCatalogAudit({ path, tableName: "s3_uploads" });
    let { storage, calls } = fakeStorage(all, scenario);
    let cpuBefore = process.cpuUsage();
    let beginMs = performance.now();
    let found = 0;
    await reconcile(
      {
        storage,
        storageFor: () => storage,
        catalog,
        intents: openIntentsReader(join(folder, "none.db")),
        clock: systemClock,
        options: { prefix, minAgeMs: DAY_MS, keepMs: DAY_MS, deep: false },
      },
      null,
      { found: () => void found++, notLooked() {}, removed() {}, progress() {} },
    );
    let seconds = (performance.now() - beginMs) / SECOND_MS;
    let { user, system } = process.cpuUsage(cpuBefore);
    let figures = [found, calls(), seconds.toFixed(1), ((user + system) / 1e6).toFixed(1)];
    console.log(
      JSON.stringify([scenario.name, ...figures, Math.round(peakBytes(process.pid) / MIB)].map(String)),
    );
    catalog.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let [count = "1000000", only, path] = process.argv.slice(2);
let all = Number(count);
let chosen = scenarios.find(({ name }) => name === only);
if (chosen && path) makeCatalog(path, all, chosen);
else if (chosen) await runOne(all, chosen);
else {
  let rows = scenarios.map(({ name }) => {
    let child = Bun.spawnSync([process.execPath, import.meta.path, count, name], { stderr: "inherit" });
    return JSON.parse(child.stdout.toString()) as string[];
  });
  console.log(
    table([
      [`reconcile, ${all.toLocaleString("en")}`, "found", "S3 calls", "seconds", "CPU s", "peak RSS MiB"],
      ...rows,
    ]),
  );
}
