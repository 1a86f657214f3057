import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppError } from "../../src/errors.ts";
import { closeDatabase, migrate } from "../../src/sqlite.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { stateMigrations } from "../../src/state/migrations.ts";
import { createTokens } from "../../src/state/tokens.ts";
import { createUsers } from "../../src/state/users.ts";

const folder = mkdtempSync(join(tmpdir(), "users-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function world() {
  let db = openStateDatabase(join(folder, `${++made}`, "state.db"));
  let time = { nowMs: Date.UTC(2026, 10, 23) };
  let clock = { nowMs: () => time.nowMs };
  return {
    db,
    time,
    users: createUsers(db, clock),
    sessions: createTokens(db, clock).sessions,
    [Symbol.dispose]: () => closeDatabase(db),
  };
}

const passwordHash = "$argon2id$one";

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return "nothing thrown";
}

describe("a user", () => {
  test("is found by name in any case, and by nothing else", () => {
    using given = world();
    let ann = given.users.add({ name: " Ann ", passwordHash, scopes: ["view", "upload"] });
    expect(ann).toEqual({ id: 1, name: "ann", scopes: ["upload", "view"] });
    expect(given.users.find("ANN")).toEqual({ ...ann, passwordHash });
    expect(given.users.find("an")).toBeNull();
    expect(given.users.find("1")).toBeNull();
    expect(given.users.get(1)).toEqual(ann);
  });

  test.each(["", "a b", "a:b", "7", "-x", ".", "a/b", "a\u202eb", "x".repeat(65), "a\0"])(
    "can't be named %p",
    (name) => {
      using given = world();
      expect(codeOf(() => given.users.add({ name, passwordHash, scopes: ["view"] }))).toBe(
        "invalid_parameter",
      );
    },
  );

  test("has a name that nobody else has, and at least one scope", () => {
    using given = world();
    given.users.add({ name: "zoë@example.org", passwordHash, scopes: ["view"] });
    expect(codeOf(() => given.users.add({ name: "ZOË@example.org", passwordHash, scopes: ["view"] }))).toBe(
      "invalid_parameter",
    );
    expect(codeOf(() => given.users.add({ name: "b", passwordHash, scopes: [] }))).toBe("invalid_parameter");
  });

  test("is never stored with a password", () => {
    using given = world();
    expect(codeOf(() => given.users.add({ name: "a", passwordHash: "secret", scopes: ["view"] }))).toBe(
      "internal_error",
    );
  });

  test("loses every session by another password, and by being removed", () => {
    using given = world();
    let { id } = given.users.add({ name: "ann", passwordHash, scopes: ["view"] });
    let secrets = [given.sessions.createForUser(id), given.sessions.createForUser(id)];
    expect(given.sessions.verify(secrets[0] ?? "")).toMatchObject({
      type: "user",
      identity: { name: "ann" },
    });
    given.users.setPassword("ann", "$argon2id$two");
    expect(secrets.map((secret) => given.sessions.verify(secret))).toEqual([null, null]);
    expect(given.users.find("ann")?.passwordHash).toBe("$argon2id$two");
    let again = given.sessions.createForUser(id);
    expect(given.users.remove(String(id))).toMatchObject({ name: "ann" });
    expect(given.sessions.verify(again)).toBeNull();
    expect(given.users.remove("ann")).toBeNull();
    expect(given.users.count()).toBe(0);
  });

  test("ends all sessions at once, and nobody else's", () => {
    using given = world();
    let [ann, bob] = ["ann", "bob"].map(
      (name) => given.users.add({ name, passwordHash, scopes: ["view"] }).id,
    );
    let mine = [given.sessions.createForUser(ann ?? 0), given.sessions.createForUser(ann ?? 0)];
    let other = given.sessions.createForUser(bob ?? 0);
    expect(given.sessions.removeAll({ type: "user", id: ann ?? 0 })).toBe(2);
    expect(mine.map((secret) => given.sessions.verify(secret))).toEqual([null, null]);
    expect(given.sessions.verify(other)).not.toBeNull();
  });
});

test("tokens and their sessions outlive the change that brought users", () => {
  let path = join(folder, "old.db");
  let db = new Database(path, { create: true, strict: true });
  let before = stateMigrations.findIndex((sql) => sql.includes("CREATE TABLE users"));
  migrate(db, stateMigrations.slice(0, before));
  db.run(
    "INSERT INTO tokens (name, token_sha256, scopes, created_at_ms) VALUES ('old', zeroblob(32), 'view', 0)",
  );
  db.run(
    "INSERT INTO web_sessions (secret_sha256, token_id, created_at_ms, expires_at_ms) VALUES (zeroblob(32), 1, 0, 9)",
  );
  db.close();
  let opened = openStateDatabase(path);
  expect(opened.query("SELECT token_id, user_id, expires_at_ms FROM web_sessions").all()).toEqual([
    { token_id: 1, user_id: null, expires_at_ms: 9 },
  ]);
  expect(createTokens(opened, { nowMs: () => 0 }).list()).toMatchObject([{ name: "old", scopes: ["view"] }]);
  closeDatabase(opened);
});
