import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppError } from "../../src/errors.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { sessionLifeMs } from "../../src/state/sessions.ts";
import { createTokens, SCOPES } from "../../src/state/tokens.ts";
import { DAY_MS, MINUTE_MS } from "../../src/units.ts";

const folder = mkdtempSync(join(tmpdir(), "tokens-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function world() {
  let path = join(folder, `${++made}`, "internal", "state.db");
  let db = openStateDatabase(path);
  let time = { nowMs: Date.UTC(2026, 10, 23) };
  let tokens = createTokens(db, { nowMs: () => time.nowMs });
  return { path, db, tokens, time, [Symbol.dispose]: () => closeDatabase(db) };
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return "nothing thrown";
}

describe("a token", () => {
  test("is recognisable, long, and different each time", () => {
    using given = world();
    let a = given.tokens.create({ name: "a", scopes: ["view"] });
    let b = given.tokens.create({ name: "b", scopes: ["view"] });
    expect(a.token).toMatch(/^s3u_[\w-]{43}$/);
    expect(a.token).not.toBe(b.token);
  });

  test("is verified to its name and its scopes in their usual order", () => {
    using given = world();
    let { id, token } = given.tokens.create({ name: "ci job", scopes: ["admin", "upload", "upload"] });
    expect(given.tokens.verify(token)).toEqual({ id, name: "ci job", scopes: ["upload", "admin"] });
  });

  test.each([
    [
      "another token of the right form",
      (token: string) => `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
    ],
    ["one cut short", (token: string) => token.slice(0, -1)],
    ["one with more behind", (token: string) => `${token}A`],
    ["one with a line break behind", (token: string) => `${token}\n`],
    ["one in other letters", (token: string) => token.toUpperCase()],
    ["its own digest", (token: string) => createHash("sha256").update(token).digest("hex")],
    ["nothing", () => ""],
    ["a very long text", () => "s3u_".repeat(1_000_000)],
  ])("is not verified by %s", (_, change) => {
    using given = world();
    let { token } = given.tokens.create({ name: "a", scopes: ["view"] });
    expect(given.tokens.verify(change(token))).toBeNull();
    expect(given.tokens.verify(token)).not.toBeNull();
  });

  test("is not in the database's files, only its SHA-256 is", () => {
    using given = world();
    let { id, token } = given.tokens.create({ name: "a", scopes: ["view"] });
    let secret = given.tokens.sessions.create(id);
    given.tokens.verify(token);
    let internal = join(given.path, "..");
    let everything = Buffer.concat(readdirSync(internal).map((name) => readFileSync(join(internal, name))));
    expect(everything.includes(token)).toBe(false);
    expect(everything.includes(Buffer.from(token.slice(4), "base64url"))).toBe(false);
    expect(everything.includes(secret)).toBe(false);
    expect(everything.includes(createHash("sha256").update(token).digest())).toBe(true);
  });

  test("is compared with what the look-up found, which is not trusted alone", () => {
    using given = world();
    let { token } = given.tokens.create({ name: "a", scopes: ["view"] });
    let lying = new Proxy(given.db, {
      get(db, key) {
        // Stands for an index that leads to a wrong row.
        if (key === "prepare")
          return (sql: string) => db.prepare(sql.replace("WHERE token_sha256 = ?1", "WHERE ?1 <> ''"));
        let value: unknown = Reflect.get(db, key);
        return typeof value === "function" ? value.bind(db) : value;
      },
    });
    let tokens = createTokens(lying, { nowMs: () => given.time.nowMs });
    expect(tokens.verify(token)).not.toBeNull();
    expect(tokens.verify(`s3u_${"A".repeat(43)}`)).toBeNull();
  });

  test("is good until it expires, and gives its name up then", () => {
    using given = world();
    let expiresAtMs = given.time.nowMs + DAY_MS;
    let { token } = given.tokens.create({ name: "a", scopes: ["view"], expiresAtMs });
    given.time.nowMs = expiresAtMs - 1;
    expect(given.tokens.verify(token)).not.toBeNull();
    expect(given.tokens.count()).toBe(1);
    given.time.nowMs = expiresAtMs;
    expect(given.tokens.verify(token)).toBeNull();
    expect(given.tokens.count()).toBe(0);
    expect(given.tokens.list()).toHaveLength(1);
    given.tokens.create({ name: "a", scopes: ["upload"] });
    expect(given.tokens.list().map((row) => row.scopes)).toEqual([["upload"]]);
  });

  test("is revoked by id or by name, once, and its id is not given again", () => {
    using given = world();
    let a = given.tokens.create({ name: "a", scopes: ["view"] });
    let b = given.tokens.create({ name: "b", scopes: ["view"] });
    expect(given.tokens.revoke(a.id)).toEqual({ id: a.id, name: "a" });
    expect(given.tokens.revoke("b")).toEqual({ id: b.id, name: "b" });
    expect([a.token, b.token].map((token) => given.tokens.verify(token))).toEqual([null, null]);
    expect([given.tokens.revoke(a.id), given.tokens.revoke("b"), given.tokens.revoke("")]).toEqual([
      null,
      null,
      null,
    ]);
    expect(given.tokens.create({ name: "c", scopes: ["view"] }).id).toBeGreaterThan(b.id);
  });

  test("has a usable name of its own and at least one scope", () => {
    using given = world();
    for (let name of ["", " a", "a ", "7", "a\nb", "a\u001b[31m", "a\u202eb", "a\u2028b", "x".repeat(65)]) {
      expect([name, codeOf(() => given.tokens.create({ name, scopes: ["view"] }))]).toEqual([
        name,
        "invalid_parameter",
      ]);
    }
    expect(codeOf(() => given.tokens.create({ name: "a", scopes: [] }))).toBe("invalid_parameter");
    given.tokens.create({ name: "Zoë's laptop 2", scopes: SCOPES });
    expect(codeOf(() => given.tokens.create({ name: "Zoë's laptop 2", scopes: ["view"] }))).toBe(
      "invalid_parameter",
    );
    expect(given.tokens.list()).toHaveLength(1);
  });

  test("notes its last use to the minute, without a write for each request", () => {
    using given = world();
    let { token } = given.tokens.create({ name: "a", scopes: ["view"] });
    let lastUsed = () => given.tokens.list()[0]?.lastUsedAtMs;
    let changes = () => given.db.query<{ n: number }, []>("SELECT total_changes() AS n").get()?.n ?? 0;
    expect(lastUsed()).toBeNull();
    given.tokens.verify(token);
    let firstMs = given.time.nowMs;
    let before = changes();
    given.time.nowMs += MINUTE_MS - 1;
    for (let i = 0; i < 100; i++) given.tokens.verify(token);
    expect(changes()).toBe(before);
    expect(lastUsed()).toBe(firstMs);
    given.time.nowMs += 1;
    given.tokens.verify(token);
    expect(lastUsed()).toBe(given.time.nowMs);
  });

  test("stays good when its use cannot be noted", () => {
    using given = world();
    let { token } = given.tokens.create({ name: "a", scopes: ["view"] });
    given.db.run("PRAGMA query_only = ON");
    expect(given.tokens.verify(token)).not.toBeNull();
  });
});

describe("a web session", () => {
  test("stands for its token", () => {
    using given = world();
    let { id } = given.tokens.create({ name: "a", scopes: ["view", "upload"] });
    let secret = given.tokens.sessions.create(id);
    expect(given.tokens.sessions.verify(secret)).toEqual({
      type: "token",
      identity: { id, name: "a", scopes: ["upload", "view"] },
      renewed: false,
    });
    expect(given.tokens.sessions.verify("A".repeat(43))).toBeNull();
    expect(given.tokens.sessions.verify("")).toBeNull();
  });

  test("ends thirty days after its last use, which moves its end on once a day", () => {
    using given = world();
    let { id } = given.tokens.create({ name: "a", scopes: ["view"] });
    let { sessions } = given.tokens;
    let used = sessions.create(id);
    let unused = sessions.create(id);
    given.time.nowMs += DAY_MS - 1;
    expect(sessions.verify(used)?.renewed).toBe(false);
    given.time.nowMs += 1;
    expect(sessions.verify(used)?.renewed).toBe(true);
    expect(sessions.verify(used)?.renewed).toBe(false);
    given.time.nowMs += sessionLifeMs - DAY_MS;
    expect(sessions.verify(unused)).toBeNull();
    expect(sessions.verify(used)?.renewed).toBe(true);
    given.time.nowMs += sessionLifeMs;
    expect(sessions.verify(used)).toBeNull();
  });

  test("ends when it is removed, and no other does", () => {
    using given = world();
    let { id } = given.tokens.create({ name: "a", scopes: ["view"] });
    let { sessions } = given.tokens;
    let [mine, other] = [sessions.create(id), sessions.create(id)];
    sessions.remove(mine);
    sessions.remove("unknown");
    expect(sessions.verify(mine)).toBeNull();
    expect(sessions.verify(other)).not.toBeNull();
  });

  test("ends with its token, revoked or expired", () => {
    using given = world();
    let expiresAtMs = given.time.nowMs + DAY_MS;
    let a = given.tokens.create({ name: "a", scopes: ["view"] });
    let b = given.tokens.create({ name: "b", scopes: ["view"], expiresAtMs });
    let { sessions } = given.tokens;
    let [ofA, ofB] = [sessions.create(a.id), sessions.create(b.id)];
    given.tokens.revoke("a");
    expect(sessions.verify(ofA)).toBeNull();
    expect(sessions.verify(ofB)).not.toBeNull();
    given.time.nowMs = expiresAtMs;
    expect(sessions.verify(ofB)).toBeNull();
  });

  test("gives way when its token has too many, the oldest first, and expired ones are swept", () => {
    using given = world();
    let { id } = given.tokens.create({ name: "a", scopes: ["view"] });
    let { sessions } = given.tokens;
    let secrets = Array.from({ length: 201 }, () => sessions.create(id));
    expect(secrets.map((secret) => sessions.verify(secret) !== null)).toEqual([
      false,
      ...Array(200).fill(true),
    ]);
    given.time.nowMs += sessionLifeMs;
    sessions.create(id);
    expect(given.db.query("SELECT count(*) AS n FROM web_sessions").get()).toEqual({ n: 1 });
  });
});

test("what another connection does to tokens is seen at once", () => {
  using given = world();
  let beside = openStateDatabase(given.path);
  let others = createTokens(beside, { nowMs: () => given.time.nowMs });
  let { id, token } = others.create({ name: "a", scopes: ["view"] });
  expect(given.tokens.verify(token)?.id).toBe(id);
  others.revoke(id);
  expect(given.tokens.verify(token)).toBeNull();
  closeDatabase(beside);
});

describe("a token with limits", () => {
  test("tells its folder, and its quota with what was used", () => {
    using given = world();
    let { token } = given.tokens.create({
      name: "a",
      scopes: ["upload"],
      folder: "/clients/acme",
      maxBytes: 10,
    });
    expect(given.tokens.verify(token)).toMatchObject({ folder: "clients/acme/", maxBytes: 10, usedBytes: 0 });
  });

  test.each(["", "/", "..", "a/../b", "a//b", ".a", "a b", "ä", "a/".repeat(9), "x".repeat(200)])(
    "can't have the folder %p",
    (folderName) => {
      using given = world();
      let create = () => given.tokens.create({ name: "a", scopes: ["upload"], folder: folderName });
      expect(codeOf(create)).toBe("invalid_parameter");
    },
  );

  test("can't have a folder and the scope admin", () => {
    using given = world();
    let create = () => given.tokens.create({ name: "a", scopes: ["admin"], folder: "a" });
    expect(codeOf(create)).toBe("invalid_parameter");
  });

  test("of which the link works once goes on as a token", () => {
    using given = world();
    let once = given.tokens.create({ name: "once", scopes: ["view"], linkOnce: true }).token;
    let ever = given.tokens.create({ name: "ever", scopes: ["view"] }).token;
    expect(given.tokens.openLink(once)).toMatchObject({ name: "once" });
    expect(given.tokens.openLink(once)).toBe("spent");
    expect(given.tokens.verify(once)).toMatchObject({ name: "once" });
    expect([given.tokens.openLink(ever), given.tokens.openLink(ever)]).toMatchObject([
      { name: "ever" },
      { name: "ever" },
    ]);
    expect(given.tokens.openLink(`s3u_${"A".repeat(43)}`)).toBeNull();
  });
});
