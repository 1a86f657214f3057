import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Clock } from "../../src/clock.ts";
import { createCommitSync } from "../../src/commit-sync.ts";
import { AppError } from "../../src/errors.ts";
import { closeDatabase, schemaVersion } from "../../src/sqlite.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createIdempotency, idempotencyLifeMs } from "../../src/state/idempotency.ts";
import { stateMigrations } from "../../src/state/migrations.ts";
import { createJournal } from "../../src/state/sqlite-journal.ts";
import { eventually } from "../support/server.ts";

const folder = mkdtempSync(join(tmpdir(), "state-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function newPath(): string {
  return join(folder, `${++made}`, "internal", "state.db");
}

const place = { storage: "s3", bucket: "b", key: "uploads/2026/01/u.jpg" } as const;

describe("the private database", () => {
  test("is made in a folder and a file that only its owner can read", () => {
    let path = newPath();
    closeDatabase(openStateDatabase(path));
    expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("comes to the newest schema and stays there", () => {
    let path = newPath();
    closeDatabase(openStateDatabase(path));
    let db = openStateDatabase(path);
    expect(schemaVersion(db)).toBe(stateMigrations.length);
    closeDatabase(db);
  });

  test("of a newer program is refused by name and number", () => {
    let path = newPath();
    let db = openStateDatabase(path);
    db.run("PRAGMA user_version = 99");
    closeDatabase(db);
    expect(() => openStateDatabase(path)).toThrow(
      "internal/state.db was written by a newer s3-uploads (schema 99",
    );
  });
});

describe("the journal", () => {
  test("tells open intents oldest first, also to the next process", async () => {
    let path = newPath();
    let clock = steppingClock();
    let db = openStateDatabase(path);
    let journal = createJournal(db, createCommitSync(db), clock);
    await journal.beginUpload({ uid: "u-2", ...place });
    await journal.beginUpload({ uid: "u-1", ...place });
    await journal.multipartCreated("u-1", "mp");
    await journal.beginDelete({ uid: "u-0", fileId: 7, ...place });
    closeDatabase(db);

    let again = openStateDatabase(path);
    expect(createJournal(again, createCommitSync(again)).open()).toEqual([
      { kind: "upload", uid: "u-2", multipartUploadId: null, createdAtMs: 1, ...place },
      { kind: "upload", uid: "u-1", multipartUploadId: "mp", createdAtMs: 2, ...place },
      { kind: "delete", uid: "u-0", fileId: 7, createdAtMs: 3, ...place },
    ]);
    closeDatabase(again);
  });

  test("forgets what was closed, and writes closes with the next begin", async () => {
    let db = openStateDatabase(newPath());
    let journal = createJournal(db, createCommitSync(db));
    let inFile = () =>
      db
        .query<{ uid: string }, []>("SELECT uid FROM intents")
        .all()
        .map((row) => row.uid);
    await journal.beginUpload({ uid: "a", ...place });
    journal.closeUpload("a");
    expect(inFile()).toEqual(["a"]);
    await journal.beginUpload({ uid: "b", ...place });
    expect(inFile()).toEqual(["b"]);
    journal.closeUpload("b");
    journal.flush();
    expect(inFile()).toEqual([]);
    closeDatabase(db);
  });

  test("writes closes by itself when nothing else happens", async () => {
    let db = openStateDatabase(newPath());
    let journal = createJournal(db, createCommitSync(db));
    await journal.beginDelete({ uid: "a", fileId: 1, ...place });
    journal.closeDelete("a");
    let count = () => db.query<{ n: number }, []>("SELECT count(*) AS n FROM intents").get()?.n;
    await eventually(count, (open) => open === 0);
    closeDatabase(db);
  });

  test("lets a deletion that failed be begun again", async () => {
    let db = openStateDatabase(newPath());
    let journal = createJournal(db, createCommitSync(db));
    await journal.beginDelete({ uid: "a", fileId: 1, ...place });
    journal.closeDelete("a");
    await journal.beginDelete({ uid: "a", fileId: 1, ...place });
    expect(journal.open()).toHaveLength(1);
    closeDatabase(db);
  });

  test("refuses a multipart upload of an intent that it does not hold", async () => {
    let db = openStateDatabase(newPath());
    let journal = createJournal(db, createCommitSync(db));
    await expect(journal.multipartCreated("nobody", "mp")).rejects.toThrow(AppError);
    closeDatabase(db);
  });

  test("holds no half intents", () => {
    let db = openStateDatabase(newPath());
    let insert = (kind: string, fileId: number | null) =>
      db.run(
        "INSERT INTO intents (kind, uid, storage, bucket, key, file_id, created_at_ms) VALUES (?, 'u', 's3', 'b', 'k', ?, 1)",
        [kind, fileId],
      );
    expect(() => insert("delete", null)).toThrow("CHECK");
    expect(() => insert("upload", 1)).toThrow("CHECK");
    expect(() => insert("other", null)).toThrow("CHECK");
    closeDatabase(db);
  });
});

describe("idempotency keys", () => {
  test("are found by key and position until a day has gone by", async () => {
    let db = openStateDatabase(newPath());
    let nowMs = 1_000_000_000_000;
    let idempotency = createIdempotency(db, createCommitSync(db), { nowMs: () => nowMs });
    await idempotency.remember("key", 0, { uid: "u-0", filename: "é.jpg" });
    await idempotency.remember("key", 1, { uid: "u-1", filename: "b.jpg" });
    expect(idempotency.find("key", 0)).toEqual({ uid: "u-0", filename: "é.jpg" });
    expect(idempotency.find("key", 1)).toEqual({ uid: "u-1", filename: "b.jpg" });
    expect(idempotency.find("key", 2)).toBeNull();
    expect(idempotency.find("KEY", 0)).toBeNull();
    nowMs += idempotencyLifeMs - 1;
    expect(idempotency.find("key", 0)).not.toBeNull();
    nowMs += 1;
    expect(idempotency.find("key", 0)).toBeNull();
    closeDatabase(db);
  });

  test("are kept as digests and removed when they are too old", async () => {
    let db = openStateDatabase(newPath());
    let nowMs = 1_000_000_000_000;
    let idempotency = createIdempotency(db, createCommitSync(db), { nowMs: () => nowMs });
    await idempotency.remember("secret-key", 0, { uid: "u", filename: "a" });
    expect(JSON.stringify(db.query("SELECT * FROM idempotency").all())).not.toContain("secret-key");
    nowMs += idempotencyLifeMs;
    await idempotency.remember("other", 0, { uid: "v", filename: "a" });
    expect(db.query("SELECT uid FROM idempotency").values()).toEqual([["v"]]);
    nowMs += idempotencyLifeMs;
    idempotency.forgetExpired();
    expect(db.query("SELECT uid FROM idempotency").values()).toEqual([]);
    closeDatabase(db);
  });

  test("take the newest attempt", async () => {
    let db = openStateDatabase(newPath());
    let idempotency = createIdempotency(db, createCommitSync(db), steppingClock());
    await idempotency.remember("key", 0, { uid: "first", filename: "a" });
    await idempotency.remember("key", 0, { uid: "second", filename: "a" });
    expect(idempotency.find("key", 0)?.uid).toBe("second");
    closeDatabase(db);
  });
});

function steppingClock(): Clock {
  let nowMs = 0;
  return { nowMs: () => ++nowMs };
}
