import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Requester } from "../../src/domain.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { createAudit } from "../../src/state/audit.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createWriteBehind } from "../../src/state/write-behind.ts";
import { DAY_MS } from "../../src/units.ts";
import { eventually } from "../support/server.ts";

const folder = mkdtempSync(join(tmpdir(), "audit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const by: Requester = { actor: "token:backup", address: "192.0.2.7", requestId: "r-1" };
let worlds = 0;

function createWorld() {
  let path = join(folder, String(++worlds), "state.db");
  let db = openStateDatabase(path);
  let time = { nowMs: Date.UTC(2026, 10, 23, 12) };
  let behind = createWriteBehind(db);
  let audit = createAudit(db, behind, { nowMs: () => time.nowMs });
  let rows = () => db.query<{ n: number }, []>("SELECT count(*) AS n FROM audit").get()?.n;
  return { db, time, behind, audit, rows, [Symbol.dispose]: () => closeDatabase(db) };
}

describe("the audit log", () => {
  test("tells who did what from where, the newest first", () => {
    using world = createWorld();
    world.audit.write("upload", by, { file_id: 7, filename: "a.txt" });
    world.time.nowMs += 5;
    world.audit.write("delete", { ...by, actor: null }, { file_id: 7 });
    expect(world.audit.list({ size: 10 })).toEqual([
      {
        id: 2,
        atMs: world.time.nowMs,
        event: "delete",
        by: { ...by, actor: null },
        detail: { file_id: 7 },
      },
      {
        id: 1,
        atMs: world.time.nowMs - 5,
        event: "upload",
        by,
        detail: { file_id: 7, filename: "a.txt" },
      },
    ]);
  });

  test("is narrowed by event, actor, day and place, also by all at once", () => {
    using world = createWorld();
    for (let day = 0; day < 3; day++) {
      world.audit.write("upload", by);
      world.audit.write("delete", by);
      world.audit.write("upload", { ...by, actor: "token:other" });
      world.time.nowMs += DAY_MS;
    }
    let ids = (query: object) => world.audit.list({ size: 10, ...query }).map(({ id }) => id);
    expect(ids({ event: "delete" })).toEqual([8, 5, 2]);
    expect(ids({ actor: "token:other" })).toEqual([9, 6, 3]);
    expect(ids({ day: "2026-11-24" })).toEqual([6, 5, 4]);
    expect(ids({ beforeId: 3 })).toEqual([2, 1]);
    expect(ids({ event: "upload", actor: by.actor, day: "2026-11-24", beforeId: 9 })).toEqual([4]);
  });

  test("can't be changed, replaced or shortened by a statement", () => {
    using world = createWorld();
    world.audit.write("upload", by);
    let { db } = world;
    for (let sql of [
      "UPDATE audit SET actor = 'somebody else'",
      "DELETE FROM audit",
      "INSERT OR REPLACE INTO audit (id, at_ms, event, detail_json) VALUES (1, 0, 'upload', '{}')",
    ]) {
      expect(() => db.run(sql)).toThrow("append-only");
    }
    expect(world.audit.list({ size: 10 })[0]?.by).toEqual(by);
  });

  test("forgets what is older than it shall remember, and nothing else", () => {
    using world = createWorld();
    world.audit.write("upload", by, { nth: 1 });
    world.time.nowMs += 2 * DAY_MS;
    world.audit.write("upload", by, { nth: 2 });
    world.time.nowMs += DAY_MS;
    world.audit.forget(2);
    expect(world.audit.list({ size: 10 }).map(({ detail }) => detail)).toEqual([{ nth: 2 }]);
    expect(() => world.db.run("DELETE FROM audit")).toThrow("append-only");
  });

  test("writes at once, or together with the next commit, or after a moment", async () => {
    using world = createWorld();
    world.audit.write("sign_in", by);
    expect(world.rows()).toBe(1);
    world.audit.write("upload", by, {}, "later");
    expect(world.rows()).toBe(1);
    world.behind.commit("test", () => {});
    expect(world.rows()).toBe(2);
    world.audit.write("upload", by, {}, "later");
    await eventually(world.rows, (rows) => rows === 3);
  });

  test("keeps what can't be written for later, and does not fail what it tells of", () => {
    using world = createWorld();
    let other = openStateDatabase(world.db.filename);
    world.db.run("PRAGMA busy_timeout = 0");
    other.run("BEGIN IMMEDIATE");
    world.audit.write("sign_in", by);
    other.run("ROLLBACK");
    closeDatabase(other);
    expect(world.audit.list({ size: 10 })).toHaveLength(1);
  });

  test("bounds whatever it is given", () => {
    using world = createWorld();
    let long = "x".repeat(100_000);
    world.audit.write("upload", { actor: long, address: long, requestId: long }, { filename: long });
    world.audit.write("delete", by, { ids: Array.from({ length: 5000 }, (_, id) => id) });
    world.audit.write("delete", by, Object.fromEntries(Array.from({ length: 5000 }, (_, id) => [id, id])));
    world.audit.write("upload", { ...by, actor: `${"x".repeat(199)}💥` }, { filename: "\ud800 lone" });
    let [lone, wide, list, texts] = world.audit.list({ size: 10 });
    expect(texts?.by.actor).toHaveLength(200);
    expect(String(texts?.detail["filename"])).toHaveLength(501);
    expect(list?.detail["ids"]).toHaveLength(51);
    expect(wide?.detail).toEqual({ left_out: "the detail is too long" });
    expect(lone?.by.actor).toHaveLength(200);
  });

  test("is not filled by very many failed sign-ins, and says so", () => {
    using world = createWorld();
    for (let nth = 0; nth < 1000; nth++) world.audit.write("sign_in_failed", by);
    world.audit.write("sign_in", by);
    expect(world.rows()).toBe(302);
    expect(world.audit.list({ size: 2 })[1]?.detail).toEqual({
      left_out: "the other failures of this minute",
    });
    world.time.nowMs += 60_000;
    world.audit.write("sign_in_failed", by);
    expect(world.rows()).toBe(303);
  });

  test("knows whether a file's event is written down", () => {
    using world = createWorld();
    world.audit.write("upload", by, { uid: "u-1" });
    expect(world.audit.knows("upload", "u-1", 0)).toBe(true);
    expect(world.audit.knows("delete", "u-1", 0)).toBe(false);
    expect(world.audit.knows("upload", "u-1", world.time.nowMs + 1)).toBe(false);
  });
});
