import { afterAll, expect, test } from "bun:test";

import { silentLog } from "../../src/log.ts";
import { planList } from "../../src/record/list-plan.ts";
import { createReader, maxWaitingReads } from "../../src/record/reader.ts";
import { newFile } from "./new-file.ts";
import { tempCatalogs } from "./temp-catalog.ts";

const catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

const table = "s3_uploads";
const plan = planList({ search: "needle" }, { after: null, limit: 10, hiddenIds: [] });

async function onePath(): Promise<string> {
  let path = catalogs.newPath();
  await catalogs.open(path).create(newFile({ filename: "needle.txt" }), "store");
  return path;
}

test("questions asked at once are all answered", async () => {
  let reader = createReader({ path: await onePath(), table, log: silentLog });
  let answers = await Promise.all(Array.from({ length: 50 }, () => reader.read(plan)));
  expect(answers.every((rows) => rows[0]?.filename === "needle.txt")).toBe(true);
  reader.close();
});

test("a row that was just added is seen", async () => {
  let files = catalogs.open();
  for (let i = 1; i <= 20; i++) {
    await files.create(newFile({ filename: "needle.txt" }), "store");
    expect((await files.list({ search: "needle" })).rows).toHaveLength(i);
  }
});

test("a question that takes too long is given up, and the next one is answered", async () => {
  let path = await onePath();
  let warnings: string[] = [];
  let log = { ...silentLog, warn: (_: object, message: string) => void warnings.push(message) };
  // Starting the thread alone takes longer than this.
  let hasty = createReader({ path, table, log, timeoutMs: 1 });
  let error = await hasty.read(plan).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "server_busy" });
  expect(warnings).toEqual(["a query of the catalog took too long"]);
  hasty.close();

  let patient = createReader({ path, table, log });
  expect(await patient.read(plan)).toHaveLength(1);
  patient.close();
});

test("a question that can't be answered fails alone", async () => {
  let reader = createReader({ path: await onePath(), table, log: silentLog });
  let broken = { ...plan, search: { match: '"unbalanced', short: [] } };
  let results = await Promise.allSettled([reader.read(plan), reader.read(broken), reader.read(plan)]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[1]).toMatchObject({ reason: { code: "internal_error" } });
  reader.close();
});

test("a thread that dies is started again for what still waits", async () => {
  let workers: Worker[] = [];
  let RealWorker = globalThis.Worker;
  class WatchedWorker extends RealWorker {
    constructor(...args: ConstructorParameters<typeof RealWorker>) {
      super(...args);
      // The catalog has others, for its checkpoints.
      if (String(args[0]).includes("query-worker")) workers.push(this);
    }
  }
  globalThis.Worker = WatchedWorker;
  try {
    let reader = createReader({ path: await onePath(), table, log: silentLog });
    expect(await reader.read(plan)).toHaveLength(1);
    let asked = reader.read(plan);
    workers[0]?.terminate();
    expect(await asked).toHaveLength(1);
    expect(await reader.read(plan)).toHaveLength(1);
    expect(workers).toHaveLength(2);
    reader.close();
  } finally {
    globalThis.Worker = RealWorker;
  }
});

test("too many questions at once are told to come again", async () => {
  let reader = createReader({ path: await onePath(), table, log: silentLog });
  let results = await Promise.allSettled(
    Array.from({ length: maxWaitingReads + 10 }, () => reader.read(plan)),
  );
  let refused = results.filter((result) => result.status === "rejected");
  // One runs, the others wait.
  expect(refused.length).toBe(9);
  expect(refused[0]).toMatchObject({ reason: { code: "server_busy" } });
  reader.close();
});

test("closing refuses what waits and what comes", async () => {
  let reader = createReader({ path: await onePath(), table, log: silentLog });
  let asked = reader.read(plan).catch((thrown: unknown) => thrown);
  reader.close();
  expect(await asked).toMatchObject({ code: "server_busy" });
  expect(await reader.read(plan).catch((thrown: unknown) => thrown)).toMatchObject({ code: "server_busy" });
});

test("an idle thread does not keep the process alive", async () => {
  let script = `
    let { createSqliteRepository } = await import(${JSON.stringify(import.meta.resolve("../../src/record/sqlite-repository.ts"))});
    let { silentLog } = await import(${JSON.stringify(import.meta.resolve("../../src/log.ts"))});
    let files = createSqliteRepository({ path: ${JSON.stringify(catalogs.newPath())}, tableName: "t", log: silentLog });
    console.log((await files.list({ search: "needle" })).rows.length);`;
  let child = Bun.spawn([process.execPath, "-e", script], {
    stdout: "pipe",
    stderr: "inherit",
    timeout: 10_000,
  });
  expect(await child.stdout.text()).toBe("0\n");
  expect(await child.exited).toBe(0);
});
