import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { truncateSync } from "node:fs";
import { join } from "node:path";

import { createImportWorld, type ImportWorld, putOwn, upload } from "./world.ts";

const files = 600;
const slowMs = 60_000;
const text = (words: string) => new TextEncoder().encode(words);

let world: ImportWorld;
beforeEach(() => {
  world = createImportWorld(null);
});
afterEach(() => world.close());

async function fill(): Promise<Set<string>> {
  let keys = new Set<string>();
  for (let at = 0; at < files; at++) keys.add(await putOwn(world.storage, text(`file ${at}`), `${at}.txt`));
  return keys;
}

function keysInCatalog(): string[] {
  try {
    return world.rows().map(({ s3_key }) => s3_key as string);
  } catch {
    // The table is not there yet.
    return [];
  }
}

/** Ends an import once it has written more rows than there were; resolves to its exit code. */
async function cutShort(signal: "SIGKILL" | "SIGINT" | "SIGTERM"): Promise<{ code: number; stdout: string }> {
  let before = keysInCatalog().length;
  let run = world.spawnImport();
  let stdout = new Response(run.stdout).text();
  while (keysInCatalog().length <= before && run.exitCode === null) await Bun.sleep(1);
  run.kill(signal);
  await run.exited;
  return { code: run.exitCode ?? -1, stdout: await stdout };
}

test(
  "an import that is killed again and again goes on where it was, and ends with every row once",
  async () => {
    let keys = await fill();
    for (let kill = 0; kill < 3; kill++) await cutShort("SIGKILL");
    let recorded = keysInCatalog().length;
    expect(recorded).toBeGreaterThan(0);
    let { exitCode, summary } = await world.import();
    expect([exitCode, summary.complete]).toEqual([0, true]);
    expect(summary.recorded_already).toBe(recorded);
    expect(keysInCatalog().toSorted()).toEqual([...keys].toSorted());
  },
  slowMs,
);

for (let signal of ["SIGINT", "SIGTERM"] as const) {
  test(
    `${signal} ends an import in order: it says how to go on`,
    async () => {
      await fill();
      let { code, stdout } = await cutShort(signal);
      // It may have been done before the signal came.
      if (code === 0) return expect(keysInCatalog().length).toBe(files);
      expect(code).toBe(3);
      expect(stdout).toContain("It was interrupted.\nWhat is in the catalog stays there");
      let recorded = keysInCatalog().length;
      let { summary } = await world.import();
      expect([summary.recorded_already, summary.adopted.own]).toEqual([recorded, files - recorded]);
    },
    slowMs,
  );
}

test(
  "an import beside a running server is refused",
  async () => {
    let app = await world.start();
    let run = world.spawnImport();
    expect(await run.exited).toBe(1);
    expect(await new Response(run.stderr).text()).toContain("stop it first");
    await app.stop();
  },
  slowMs,
);

test(
  "a catalog that is lost in the middle of uploads and deletions comes back whole, and no object is lost",
  async () => {
    let app = await world.start({ S3_UPLOADS_DUPLICATES: "link" });
    let [plain, owner, twin, waiting] = [
      await upload(app, "plain.txt", text("plain")),
      await upload(app, "owner.txt", text("shared")),
      await upload(app, "twin.txt", text("shared")),
      await upload(app, "waiting.txt", text("waiting")),
    ];
    await fetch(`${app.base}/files/delete`, {
      method: "POST",
      headers: { "HX-Request": "true" },
      body: new URLSearchParams({ id: String(waiting) }),
    });
    await app.stop();
    using trashed = new Database(join(world.dataDir, "internal", "state.db"), { readonly: true });
    expect(trashed.query("SELECT file_id FROM trash").all()).toEqual([{ file_id: waiting }]);
    let rows = world.rows();
    let rowOf = (name: string) => rows.find(({ filename }) => filename === name)!;
    // As a crash leaves it: an acknowledged upload whose intent is still open, and deletions that have just begun.
    let state = new Database(join(world.dataDir, "internal", "state.db"));
    for (let [kind, name, id] of [
      ["upload", "plain.txt", null],
      ["delete", "twin.txt", twin],
      ["delete", "owner.txt", owner],
    ] as const) {
      let { uid, s3_key } = rowOf(name);
      state.run(
        "INSERT INTO intents (kind, uid, storage, bucket, key, file_id, created_at_ms) VALUES (?, ?, 'local', 'local', ?, ?, 0)",
        [kind, uid as string, s3_key as string, id],
      );
    }
    state.close();
    expect(plain).toBe(1);
    world.loseCatalog();

    let refused = await world.start().then(
      () => "started",
      (error: Error) => error.message,
    );
    expect(refused).toContain("s3-uploads import");
    expect(await Bun.file(join(world.dataDir, "uploads.db")).exists()).toBe(false);

    let { exitCode, summary } = await world.import();
    expect([exitCode, summary.problems]).toEqual([0, []]);
    // Its ids would be other files' now.
    using settled = new Database(join(world.dataDir, "internal", "state.db"), { readonly: true });
    expect(settled.query("SELECT * FROM trash").all()).toEqual([]);
    expect(world.rows().map(({ filename }) => filename)).toEqual(["plain.txt", "waiting.txt"]);
    app = await world.start();
    expect(await (await fetch(`${app.base}/files/${rowOf("plain.txt")["uid"]}/download`)).text()).toBe(
      "plain",
    );
  },
  slowMs,
);

test(
  "an import beside a damaged catalog is refused, and the journal is still there for a copy that is put back",
  async () => {
    await upload(await world.start(), "a.txt", text("a"));
    await (await world.start()).kill();
    using state = new Database(join(world.dataDir, "internal", "state.db"));
    state.run(
      `INSERT INTO intents (kind, uid, storage, bucket, key, created_at_ms) VALUES ('upload', 'u', 'local', 'local', 'k', 1)`,
    );
    truncateSync(join(world.dataDir, "uploads.db"), 0);
    let { exitCode, stderr } = await world.import();
    expect(exitCode).toBe(1);
    expect(stderr).toContain("uploads.db is damaged");
    expect(state.query("SELECT uid FROM intents").values()).toEqual([["u"]]);
  },
  slowMs,
);
