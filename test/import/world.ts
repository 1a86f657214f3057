import { Database } from "bun:sqlite";
import { existsSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createByteBudget } from "../../src/byte-budget.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { createSpool } from "../../src/spool.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createTokens } from "../../src/state/tokens.ts";
import { objectKey, userMetadataOf } from "../../src/store/keys.ts";
import { createLocalStorage } from "../../src/store/local.ts";
import { createS3Storage } from "../../src/store/s3/s3-storage.ts";
import type { Storage } from "../../src/store/storage.ts";
import { MIB } from "../../src/units.ts";
import { putRequest } from "../store/bodies.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { makeDataDir, removeDataDir, startServer, type TestServer } from "../support/server.ts";

const checkout = join(import.meta.dir, "..", "..");

export interface ImportRunResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Of `--json`. */
  summary: {
    adopted: { own: number; foreign: number; linked: number };
    recorded_already: number;
    looked_at: number;
    skipped: Record<string, number>;
    problem_counts: Record<string, number>;
    problems: { key: string; what: string; reason: string }[];
    complete: boolean;
    broken_off: string | null;
  };
}

/** A data folder with its storage, a server that may run on it, and the import that may run when it does not. */
export interface ImportWorld {
  dataDir: string;
  storage: Storage;
  start(env?: Record<string, string>): Promise<TestServer>;
  /** Of somebody who sends into a folder. */
  token(name: string, folder: string): { token: string };
  /** `import --json`, as a process of its own. */
  import(...args: string[]): Promise<ImportRunResult>;
  spawnImport(...args: string[]): ReturnType<typeof spawn>;
  /** Every column but the id, by uid. */
  rows(): Record<string, unknown>[];
  /** Puts the catalog aside, as if it had been lost. */
  loseCatalog(): void;
  close(): Promise<void>;
}

/** @param server null for local storage */
export function createImportWorld(server: S3Server | null, env: Record<string, string> = {}): ImportWorld {
  let dataDir = makeDataDir();
  let catalog = join(dataDir, "uploads.db");
  let bucket: Record<string, string> = server
    ? {
        S3_BUCKET: server.bucket,
        S3_ENDPOINT_URL: server.endpointUrl,
        S3_REGION: server.region,
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      }
    : {};
  let all = { ...bucket, ...env };
  let running: TestServer | null = null;

  let spawnImport = (...args: string[]) => spawn(dataDir, all, args);

  return {
    dataDir,
    storage: server
      ? s3Storage(server, join(dataDir, "spool"))
      : createLocalStorage({ directory: join(dataDir, "objects") }),
    async start(other = {}) {
      await running?.stop();
      return (running = await startServer(dataDir, { ...all, ...other }));
    },
    token(name, folder) {
      using db = openStateDatabase(join(dataDir, "internal", "state.db"));
      return createTokens(db, systemClock).create({ name, scopes: ["upload"], folder });
    },
    spawnImport,
    async import(...args) {
      await running?.stop();
      running = null;
      let run = spawnImport("--json", ...args);
      let [stdout, stderr, exitCode] = await Promise.all([
        new Response(run.stdout).text(),
        new Response(run.stderr).text(),
        run.exited,
      ]);
      return { exitCode, stdout, stderr, summary: stdout === "" ? null : JSON.parse(stdout) };
    },
    rows: () => rowsOf(catalog),
    loseCatalog() {
      for (let ending of ["", "-wal", "-shm"]) {
        if (existsSync(catalog + ending)) renameSync(catalog + ending, join(dataDir, `lost.db${ending}`));
      }
    },
    async close() {
      await running?.kill();
      removeDataDir(dataDir);
    },
  };
}

function spawn(dataDir: string, env: Record<string, string>, args: string[]) {
  return Bun.spawn([process.execPath, "src/main.ts", "import", "--data-dir", dataDir, ...args], {
    cwd: checkout,
    env: { PATH: process.env["PATH"] ?? "", TMPDIR: tmpdir(), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

export function rowsOf(catalog: string): Record<string, unknown>[] {
  if (!existsSync(catalog)) return [];
  using db = new Database(catalog, { readonly: true });
  let rows = db.query<Record<string, unknown>, []>("SELECT * FROM s3_uploads ORDER BY uid").all();
  for (let row of rows) delete row["id"];
  return rows;
}

function s3Storage(server: S3Server, spool: string): Storage {
  return createS3Storage({
    bucket: server.bucket,
    prefix: "",
    region: server.region,
    endpointUrl: server.endpointUrl,
    forcePathStyle: true,
    credentials: server.credentials,
    budget: createByteBudget(64 * MIB),
    spool: createSpool(spool),
    log: silentLog,
  });
}

/** Stores an object as an upload does, without a row. */
export async function putOwn(
  storage: Storage,
  bytes: Uint8Array,
  name: string,
  prefix = "uploads/",
): Promise<string> {
  let uid = Bun.randomUUIDv7();
  let createdAtMs = Date.UTC(2026, 4, 1);
  let key = objectKey({ prefix, uid, extension: "txt", createdAtMs });
  let createdAt = new Date(createdAtMs).toISOString();
  await storage.put(
    putRequest(key, bytes, { userMetadata: userMetadataOf({ uid, filename: name, createdAt }) }),
  );
  return key;
}

/** Sends one file as a form does. */
export async function upload(
  server: TestServer,
  name: string,
  bytes: Uint8Array,
  type = "",
  headers: Record<string, string> = {},
): Promise<number> {
  let form = new FormData();
  form.append("file", new File([new Uint8Array(bytes)], name, { type }));
  let answer = await fetch(`${server.base}/upload`, { method: "POST", body: form, headers });
  let body = (await answer.json()) as { file_id: number };
  if (answer.status !== 201) throw new Error(`${name}: ${answer.status} ${JSON.stringify(body)}`);
  return body.file_id;
}

export async function remove(server: TestServer, id: number | string): Promise<void> {
  let answer = await fetch(`${server.base}/files/${id}`, { method: "DELETE" });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}
