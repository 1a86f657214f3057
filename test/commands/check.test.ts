import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createByteBudget } from "../../src/byte-budget.ts";
import { runCheck } from "../../src/commands/check.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { AppError } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import { openCatalog } from "../../src/record/database.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";
import { createSpool } from "../../src/spool.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createLocalStorage } from "../../src/store/local.ts";
import { createS3Storage } from "../../src/store/s3/s3-storage.ts";
import type { Storage } from "../../src/store/storage.ts";
import { MIB } from "../../src/units.ts";
import { newFile } from "../record/new-file.ts";
import { startMiniflare } from "../support/s3-servers/miniflare.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";

const folder = mkdtempSync(join(tmpdir(), "check-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function newFolder(): string {
  let path = join(folder, `${++made}`);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

function configOf(flags: Record<string, string>, env: Record<string, string> = {}): Config {
  let loaded = loadConfig({ flags: { data_dir: newFolder(), ...flags }, env, readFile: () => "" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}

async function check(config: Config, storage: Storage) {
  let output = "";
  let exitCode = await runCheck({ config, storage, write: (text) => (output += text) });
  return { exitCode, output, lines: output.trimEnd().split("\n") };
}

/** The marks with what they are about, in order. */
function marksOf(lines: string[]): string[] {
  return lines
    .slice(0, -1)
    .map((line) => line.replace(/^(\S+) +(\S+(?: \S+)*).*$/, "$1 $2").split("  ")[0] ?? "");
}

function unused(): never {
  throw new Error("not part of the check");
}

/** Objects in memory; the calls that are named fail as told. */
function memoryStorage(failing: Partial<Record<"probe" | "put" | "open" | "delete", Error>> = {}) {
  let objects = new Map<string, Uint8Array>();
  let deletes: string[] = [];
  let failIfTold = (call: keyof typeof failing): void => {
    if (failing[call]) throw failing[call];
  };
  let storage: Storage = {
    name: "s3",
    bucket: "some-bucket",
    async probe() {
      failIfTold("probe");
    },
    async put({ key, body }) {
      failIfTold("put");
      for await (let chunk of body) objects.set(key, chunk);
      return { sizeBytes: objects.get(key)?.length ?? 0 };
    },
    async open(key) {
      failIfTold("open");
      let bytes = objects.get(key) ?? new Uint8Array();
      return { body: new Blob([bytes]).stream(), sizeBytes: bytes.length };
    },
    async delete(key) {
      deletes.push(key);
      failIfTold("delete");
      objects.delete(key);
    },
    head: unused,
    move: unused,
    list: unused,
    presign: unused,
    abortMultipart: unused,
    listUnfinished: unused,
    resumable: { partBytesFor: unused, receive: unused, complete: unused },
  };
  return { storage, objects, deletes };
}

const bucket = { s3_bucket: "some-bucket", s3_prefix: "in/here" };

describe("check", () => {
  test("says ok line by line, exits 0 and leaves nothing behind", async () => {
    let config = configOf(bucket);
    let { storage, objects, deletes } = memoryStorage();
    let { exitCode, lines } = await check(config, storage);
    expect(exitCode).toBe(0);
    expect(lines.at(-1)).toBe("Everything works.");
    for (let what of [
      "configuration",
      "data folder",
      "disk space",
      "list",
      "put",
      "read",
      "compare",
      "delete",
    ]) {
      expect(
        lines.filter((line) => line.startsWith("ok    ") && line.slice(6).startsWith(what)),
      ).toHaveLength(1);
    }
    expect(lines[0]).toContain("bucket some-bucket at AWS in us-east-1, prefix in/here/");
    expect(objects.size).toBe(0);
    expect(deletes[0]).toMatch(/^in\/here\/s3-uploads-check\/[0-9a-f-]{36}$/);
    expect(readdirSync(config.data_dir)).toEqual([]);
  });

  test("finds out that a server could not open its databases, and leaves them as they are", async () => {
    let config = configOf(bucket);
    let catalog = join(config.data_dir, "uploads.db");
    let state = join(config.data_dir, "internal", "state.db");
    closeDatabase(openStateDatabase(state));
    closeDatabase(openCatalog({ path: catalog, tableName: config.db_table_name }).db);
    let look = async (like: Config = config) => {
      let { exitCode, lines } = await check(like, memoryStorage().storage);
      return [exitCode, ...lines.filter((line) => line.includes("  database  "))];
    };
    expect(await look()).toEqual([
      0,
      `ok    database        ${catalog} can be read`,
      `ok    database        ${state} can be read`,
    ]);
    let renamed = { ...config, db_table_name: "other" };
    expect(await look(renamed)).toEqual([0, expect.stringContaining("ok"), expect.stringContaining("ok")]);
    let repository = createSqliteRepository({
      path: catalog,
      tableName: config.db_table_name,
      log: silentLog,
    });
    await repository.create(newFile(), "store");
    repository.close();
    expect(await look(renamed)).toEqual([
      1,
      expect.stringMatching(/^FAIL  database        db_table_name is "other", but the catalog/),
      expect.stringContaining("ok"),
    ]);
    writeFileSync(catalog, "x".repeat(5000));
    for (let end of ["", "-wal", "-shm"]) rmSync(state + end, { force: true });
    writeFileSync(state, "");
    expect(await look()).toEqual([
      1,
      expect.stringMatching(
        /^FAIL  database        Could not .*: uploads\.db is damaged .* run s3-uploads import/,
      ),
      expect.stringMatching(/^FAIL  database        Could not .*: state\.db is damaged \(it is empty/),
    ]);
    expect([readFileSync(catalog, "utf8"), readFileSync(state, "utf8")]).toEqual(["x".repeat(5000), ""]);
    for (let end of ["", "-wal", "-shm"]) rmSync(catalog + end, { force: true });
    writeFileSync(catalog, "");
    expect(await look()).toEqual([0, expect.stringContaining("ok"), expect.stringContaining("ok")]);
  });

  test("goes on after a denied list, because the other permissions may be there", async () => {
    let denied = new AppError("storage_error", "The credentials may not list.");
    let { exitCode, output, lines } = await check(configOf(bucket), memoryStorage({ probe: denied }).storage);
    expect(exitCode).toBe(1);
    expect(output).toContain("FAIL  list            The credentials may not list.\n");
    expect(marksOf(lines).filter((mark) => mark.startsWith("FAIL"))).toHaveLength(1);
    expect(output).toContain("ok    delete");
    expect(lines.at(-1)).toBe("The check failed.");
  });

  test("stops where the storage does not answer", async () => {
    let away = new AppError("storage_unavailable", "http://minio:9000 can't be reached.");
    let { storage, deletes } = memoryStorage({ probe: away });
    let { exitCode, output } = await check(configOf(bucket), storage);
    expect(exitCode).toBe(1);
    expect(output).toContain("FAIL  list            http://minio:9000 can't be reached.\n");
    expect(output).toContain("warn  object          not tried");
    expect(deletes).toEqual([]);
  });

  test("tells a reason once", async () => {
    let wrong = new AppError("storage_error", "The secret is wrong.");
    let { output } = await check(configOf(bucket), memoryStorage({ probe: wrong, put: wrong }).storage);
    expect(output.match(/The secret is wrong/g)).toHaveLength(1);
    expect(output).toContain("FAIL  put             for the same reason\n");
  });

  test("cleans up after a put that failed", async () => {
    let { storage, deletes } = memoryStorage({ put: new AppError("storage_error", "No put.") });
    let { exitCode, output } = await check(configOf(bucket), storage);
    expect(exitCode).toBe(1);
    expect(output).toContain("FAIL  put             No put.\n");
    expect(output).toContain("warn  read, delete    not tried");
    expect(deletes).toHaveLength(1);
  });

  test("deletes the object when it can't be read", async () => {
    let { storage, objects } = memoryStorage({ open: new AppError("storage_error", "No get.") });
    let { exitCode, output } = await check(configOf(bucket), storage);
    expect(exitCode).toBe(1);
    expect(output).toContain("FAIL  read            No get.\n");
    expect(output).not.toContain("compare");
    expect(output).toContain("ok    delete");
    expect(objects.size).toBe(0);
  });

  test("names the object that a denied delete leaves behind", async () => {
    let { storage, objects } = memoryStorage({ delete: new AppError("storage_error", "No delete.") });
    let { exitCode, output } = await check(configOf(bucket), storage);
    expect(exitCode).toBe(1);
    expect(output).toContain("FAIL  delete          No delete.\n");
    expect(output).toContain([...objects.keys()][0] ?? "no key");
  });

  test("fails when the storage gives other bytes back", async () => {
    let { storage } = memoryStorage();
    storage.open = async () => ({ body: new Blob(["other"]).stream(), sizeBytes: 5 });
    let { exitCode, output } = await check(configOf(bucket), storage);
    expect(exitCode).toBe(1);
    expect(output).toContain("FAIL  compare");
    expect(output).toContain("ok    delete");
  });

  test("keeps to one line a check and shows no secret, whatever the storage says", async () => {
    let secret = "wJalrXUtnFEMI/K7MDENG";
    let config = configOf(bucket, { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: secret });
    let leak = new Error(`signed\nwith ${secret}`);
    let { exitCode, output, lines } = await check(config, memoryStorage({ put: leak }).storage);
    expect(exitCode).toBe(1);
    expect(output).not.toContain(secret);
    expect(lines).toContain("FAIL  put             signed with ****");
  });

  test("warns of unencrypted ways to the bucket and to the server, and of an open server", async () => {
    let config = configOf(
      { ...bucket, host: "0.0.0.0", allow_anonymous: "upload,view" },
      { S3_ENDPOINT_URL: "http://minio:9000" },
    );
    let { exitCode, output } = await check(config, memoryStorage().storage);
    expect(exitCode).toBe(0);
    expect(output).toContain("warn  configuration   http://minio:9000 is not encrypted");
    expect(output).toContain("warn  configuration   everybody who reaches this server may upload, view");
    let proxied = configOf({ ...bucket, allow_anonymous: "view", trusted_proxies: "127.0.0.1" });
    expect((await check(proxied, memoryStorage().storage)).output).toContain("server may view");
    let inClear = "warn  configuration   people come to this server without encryption";
    expect(output).toContain(inClear);
    for (let [publicUrl, isWarned] of [
      ["http://files.example.org", true],
      ["https://files.example.org", false],
      ["http://localhost:8080", false],
    ] as const) {
      let published = configOf({ ...bucket, host: "0.0.0.0", public_url: publicUrl });
      let said = (await check(published, memoryStorage().storage)).output.includes(inClear);
      expect([publicUrl, said]).toEqual([publicUrl, isWarned]);
    }
    let quiet = await check(
      configOf(bucket, { S3_ENDPOINT_URL: "http://[::1]:9000" }),
      memoryStorage().storage,
    );
    expect(quiet.output).not.toContain("warn");
  });
});

const nobody = 65_534;

describe("check of the data folder", () => {
  test("does not make one that is not there yet", async () => {
    let parent = newFolder();
    let { exitCode, output } = await check(
      configOf({ data_dir: join(parent, "a", "b") }),
      createLocalStorage({ directory: join(parent, "a", "b", "objects") }),
    );
    expect(exitCode).toBe(0);
    expect(output).toContain("will be made by the server");
    expect(readdirSync(parent)).toEqual([]);
  });

  test("fails on a file in its place", async () => {
    let file = join(newFolder(), "file");
    writeFileSync(file, "");
    for (let data_dir of [file, join(file, "below")]) {
      let { exitCode, output } = await check(configOf({ ...bucket, data_dir }), memoryStorage().storage);
      expect(exitCode).toBe(1);
      expect(output).toContain(
        `FAIL  data folder     ${data_dir} can't be used (it is not a folder): change data_dir`,
      );
    }
  });

  test("fails on one that may not be written to", async () => {
    let data_dir = newFolder();
    chmodSync(folder, 0o711);
    chmodSync(data_dir, 0o555);
    let config = configOf({ ...bucket, data_dir });
    let report = await asOrdinaryUser(() => check(config, memoryStorage().storage));
    expect(report.exitCode).toBe(1);
    expect(report.output).toContain("permission denied");
  });
});

/** The superuser may write everywhere. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe("check with local storage", () => {
  test("stores, reads and deletes in the folder of objects", async () => {
    let config = configOf({});
    let directory = join(config.data_dir, "objects");
    mkdirSync(directory);
    let { exitCode, output } = await check(config, createLocalStorage({ directory }));
    expect(output).toContain("ok    compare");
    expect(exitCode).toBe(0);
    let files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files).toEqual([]);
  });
});

describe("check with an S3 server", () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startMiniflare();
  });
  afterAll(() => server.stop());

  function s3({ secret = server.credentials.secretAccessKey, endpointUrl = server.endpointUrl } = {}) {
    let env = {
      S3_BUCKET: server.bucket,
      S3_ENDPOINT_URL: endpointUrl,
      S3_REGION: server.region,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: secret,
    };
    let config = configOf({}, env);
    let storage = createS3Storage({
      bucket: server.bucket,
      prefix: config.s3_prefix,
      region: server.region,
      endpointUrl,
      forcePathStyle: true,
      credentials: { accessKeyId: server.credentials.accessKeyId, secretAccessKey: secret },
      budget: createByteBudget(64 * MIB),
      spool: createSpool(join(newFolder(), "spool")),
      log: silentLog,
    });
    return { config, storage };
  }

  test("finds that everything works, and leaves no object", async () => {
    let { config, storage } = s3();
    let { exitCode, output } = await check(config, storage);
    // The one warning: this server can't list unfinished uploads.
    expect(output).toEndWith("Everything works; see the warnings.\n");
    expect(exitCode).toBe(0);
    expect(await Array.fromAsync(storage.list(config.s3_prefix))).toEqual([]);
  });

  test("says that a wrong secret is wrong", async () => {
    let { config, storage } = s3({ secret: "not-the-secret" });
    let { exitCode, output } = await check(config, storage);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/FAIL {2}list .*check aws_secret_access_key/);
    expect(output).not.toContain("not-the-secret");
  });

  test("says that an endpoint can't be reached", async () => {
    let { config, storage } = s3({ endpointUrl: "http://127.0.0.1:9" });
    let { exitCode, output } = await check(config, storage);
    expect(exitCode).toBe(1);
    expect(output).toMatch(
      /FAIL {2}list .*http:\/\/127\.0\.0\.1:9 can't be reached \([^?]*\): check s3_endpoint_url/,
    );
  });
});
