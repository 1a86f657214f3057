import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { bytesOf } from "../store/bodies.ts";
import { movedRows } from "../support/moved-rows.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { censusOf, eventually, makeDataDir, removeDataDir, startServer } from "../support/server.ts";

// A server under strace takes its time.
setDefaultTimeout(60_000);

let dataDir = makeDataDir();
let trace = join(tmpdir(), `s3-uploads-trace-${process.pid}`);
let stderrFile = join(tmpdir(), `s3-uploads-stderr-${process.pid}`);
afterAll(() => {
  removeDataDir(dataDir);
  rmSync(stderrFile, { force: true });
  rmSync(trace, { force: true });
});

/** Its stderr goes to a file: of a pipe, the last words before a sudden end are not always read. */
function traced(...expressions: string[]): string[] {
  let keep = ["sh", "-c", 'exec "$@" 2>>"$0"', stderrFile];
  return [...keep, "strace", "-D", "-f", "-y", ...expressions.flatMap((one) => ["-e", one]), "-o", trace];
}

function put(base: string): Promise<Response> {
  return fetch(`${base}/upload/a.bin`, { method: "PUT", body: bytesOf(20_000) });
}

/** Calls that are told apart by what they name, in the order in which they have to end. */
const promises: [what: string, call: RegExp][] = [
  ["the intent is on disk", /fdatasync\(\d+<\S+state\.db-wal>/],
  ["the file's bytes are on disk", /fsync\(\d+<\S+objects\/\.tmp\/[0-9a-f-]+>/],
  ["the file has its name", /rename\("\S+objects\/\.tmp\/[0-9a-f-]+", /],
  ["the name is on disk", /fsync\(\d+<\S+objects\/uploads\/\d{4}\/\d\d>/],
  ["the row is on disk", /fdatasync\(\d+<\S+uploads\.db-wal>/],
  ["the sender is told", /HTTP\/1\.1 201 Created/],
];

let skip = skipUnlessCi(
  Bun.which("strace")
    ? null
    : "strace is not installed: the order of what goes to disk is not tested (apt-get install strace)",
);

test.skipIf(skip)("an upload is acknowledged when everything is on disk, in this order", async () => {
  let server = await startServer(dataDir, {}, traced("trace=fsync,fdatasync,rename,sendto"));
  try {
    let mark = readFileSync(trace, "utf8").length;
    expect((await put(server.base)).status).toBe(201);
    let seen = () => readFileSync(trace, "utf8").slice(mark);
    let log = await eventually(seen, (text) => text.includes("HTTP/1.1 201 Created"));
    let places = promises.map(([what, call]) => ({ what, at: log.search(call) }));
    expect(places.filter(({ at }) => at < 0)).toEqual([]);
    expect(places.toSorted((a, b) => a.at - b.at)).toEqual(places);
  } finally {
    await server.kill();
  }
});

for (let database of ["uploads.db", "internal/state.db"]) {
  test.skipIf(skip)(
    `a disk that fails under ${database} ends the server, and nothing is half there after the next start`,
    async () => {
      let failing = traced("trace=fdatasync", "inject=fdatasync:error=EIO");
      let server = await startServer(dataDir, {}, [...failing, "-P", join(dataDir, `${database}-wal`)]);
      let before = censusOf(dataDir);
      await expect(put(server.base)).rejects.toThrow();
      expect(await server.exited).toBe(1);
      expect(readFileSync(stderrFile, "utf8")).toContain("ending at once: the disk fails");
      rmSync(stderrFile);

      let next = await startServer(dataDir);
      try {
        // The row got as far as the system's memory, which has not failed: so it is there, and whole. An intent that
        // did not get on disk kept everything behind it from being begun.
        let added = database === "uploads.db" ? 1 : 0;
        let after = await eventually(
          () => censusOf(dataDir),
          ({ intents }) => intents === 0,
        );
        expect(after.rows).toBe(before.rows + added);
        expect(after.files.length).toBe(before.files.length + 2 * added);
        expect((await put(next.base)).status).toBe(201);
      } finally {
        await next.kill();
      }
    },
  );
}

/** Lets every fsync of a running server fail until the function is called that this resolves to. */
async function failSyncs(pid: number): Promise<() => Promise<void>> {
  let options = ["-f", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-o", trace, "-p", String(pid)];
  let tracer = Bun.spawn(["strace", ...options], { stderr: "pipe" });
  let reader = tracer.stderr.getReader();
  // It says so when it has got hold of the threads.
  await reader.read();
  return async () => {
    tracer.kill("SIGTERM");
    await tracer.exited;
  };
}

test.skipIf(skip)(
  "a disk that fails under the objects fails the upload alone, and keeps nothing of it",
  async () => {
    let server = await startServer(dataDir);
    try {
      expect((await put(server.base)).status).toBe(201);
      let before = await eventually(
        () => censusOf(dataDir),
        ({ intents }) => intents === 0,
      );
      let heal = await failSyncs(server.pid);
      let answer = await put(server.base);
      let { error } = (await answer.json()) as { error: { code: string } };
      expect([answer.status, error.code]).toEqual([502, "storage_error"]);
      expect((await fetch(`${server.base}/files.json`)).status).toBe(200);
      await heal();
      expect((await put(server.base)).status).toBe(201);
      // Whether the lost name is gone from the disk could not be known either: recovery looks once more.
      await server.kill();
      server = await startServer(dataDir);
      let after = await eventually(
        () => censusOf(dataDir),
        ({ intents }) => intents === 0,
      );
      expect(after.rows).toBe(before.rows + 1);
      expect(after.files.length).toBe(before.files.length + 2);
    } finally {
      await server.kill();
    }
  },
);

let noSqlite = skipUnlessCi(
  Bun.which("sqlite3") ? null : "the sqlite3 tool is missing (apt-get install sqlite3)",
);

test.skipIf(noSqlite)(
  "another program that opens and closes the catalog takes no row with it that comes later",
  async () => {
    let folder = makeDataDir();
    let server = await startServer(folder);
    try {
      let catalog = join(folder, "uploads.db");
      let walFile = () => statSync(`${catalog}-wal`, { throwIfNoEntry: false })?.ino;
      let wal = walFile();
      expect((await put(server.base)).status).toBe(201);
      await eventually(
        () => movedRows(catalog),
        (rows) => rows === 1,
      );
      // Whoever closes a database last moves its WAL into it, and takes it away.
      let { stdout } = Bun.spawnSync(["sqlite3", catalog, "SELECT count(*) FROM s3_uploads"]);
      expect([stdout.toString(), walFile()]).toEqual(["1\n", wal]);
      expect((await put(server.base)).status).toBe(201);
      await server.kill();
      expect(censusOf(folder).rows).toBe(2);
    } finally {
      await server.kill();
      removeDataDir(folder);
    }
  },
);
