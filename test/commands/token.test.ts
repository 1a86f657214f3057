import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseExpiry } from "../../src/commands/expiry.ts";
import { runToken, type TokenCommand } from "../../src/commands/token.ts";
import { AppError } from "../../src/errors.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { createAudit } from "../../src/state/audit.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createTokens } from "../../src/state/tokens.ts";
import { createWriteBehind } from "../../src/state/write-behind.ts";

const folder = mkdtempSync(join(tmpdir(), "token-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const clock = { nowMs: () => Date.UTC(2026, 10, 23, 12) };

let made = 0;
function newDataDir(): string {
  return join(folder, `${++made}`, "data");
}

function run(dataDir: string, positionals: string[], options: TokenCommand["options"] = {}) {
  let out = { stdout: "", stderr: "" };
  runToken({
    positionals,
    options,
    dataDir,
    clock,
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
  });
  return out;
}

/** What is said when a command makes its data folder. */
function newFolder(dataDir: string): string {
  return `The data folder ${dataDir} is new: a server with another one knows nothing of this.\n`;
}

function withTokens<T>(dataDir: string, work: (tokens: ReturnType<typeof createTokens>) => T): T {
  let db = openStateDatabase(join(dataDir, "internal", "state.db"));
  try {
    return work(createTokens(db, clock));
  } finally {
    closeDatabase(db);
  }
}

test("what is given and taken is in the audit log, with the rights", () => {
  let dataDir = newDataDir();
  run(dataDir, ["create"], { name: "acme", scope: "upload", prefix: "clients/acme", "max-mb": "5" });
  run(dataDir, ["revoke", "acme"]);
  let db = openStateDatabase(join(dataDir, "internal", "state.db"));
  let entries = createAudit(db, createWriteBehind(db), clock).list({ size: 10 });
  closeDatabase(db);
  expect(entries.map(({ event, detail }) => [event, detail])).toEqual([
    ["token_revoked", { subject: "token:acme", token_id: 1 }],
    [
      "token_created",
      {
        subject: "token:acme",
        token_id: 1,
        scopes: ["upload"],
        expires_at: null,
        prefix: "clients/acme",
        max_bytes: 5 * 1024 * 1024,
      },
    ],
  ]);
});

describe("token create", () => {
  test("prints the token alone on stdout, in a data folder that it makes", () => {
    let dataDir = newDataDir();
    let { stdout, stderr } = run(dataDir, ["create"], {
      name: "ci",
      scope: "delete, Upload",
      expires: "30d",
    });
    expect(stdout).toMatch(/^s3u_[\w-]{43}\n$/);
    expect(stderr).not.toContain(stdout.trim());
    expect(stderr).toBe(
      newFolder(dataDir) +
        "Token 1 (ci) is good for upload, delete until 2026-12-23 12:00 UTC. It is shown this once: send it as “Authorization: Bearer …”, or paste it on the sign-in page.\n",
    );
    expect(withTokens(dataDir, (tokens) => tokens.verify(stdout.trim()))).toEqual({
      id: 1,
      name: "ci",
      scopes: ["upload", "delete"],
    });
  });

  test("without options names it by the day, for uploading and seeing", () => {
    let dataDir = newDataDir();
    run(dataDir, ["create"]);
    run(dataDir, ["create"]);
    let rows = withTokens(dataDir, (tokens) => tokens.list());
    expect(rows.map((row) => row.name)).toEqual(["token-2026-11-23", "token-2026-11-23-2"]);
    expect(rows[0]).toMatchObject({ scopes: ["upload", "view"], expiresAtMs: null });
  });

  test("is heard by a server that holds the database, and by its sessions", () => {
    let dataDir = newDataDir();
    withTokens(dataDir, (server) => {
      let token = run(dataDir, ["create"], { name: "new" }).stdout.trim();
      let identity = server.verify(token);
      expect(identity?.name).toBe("new");
      let secret = server.sessions.create(identity?.id ?? 0);
      run(dataDir, ["revoke", "new"]);
      expect(server.verify(token)).toBeNull();
      expect(server.sessions.verify(secret)).toBeNull();
    });
  });

  test.each<[TokenCommand["options"], string]>([
    [{ scope: "upload,everything" }, "“everything” is no scope; there are upload, view, delete, admin."],
    [{ scope: "" }, "“” is no scope"],
    [
      { expires: "soon" },
      "--expires takes a time such as 30d or 12h, or a day such as 2027-01-31, not “soon”.",
    ],
    [{ expires: "2026-11-22" }, "--expires 2026-11-22 is over already."],
    [{ name: "7" }, "A token's name is one line"],
    [{ json: true }, "“token create” does not take --json."],
  ])("refuses %j", (options, sentence) => {
    let dataDir = newDataDir();
    expect(() => run(dataDir, ["create"], options)).toThrow(sentence);
    expect(run(dataDir, ["list"], { json: true }).stdout).toBe("[]\n");
  });

  test("refuses a name that is taken", () => {
    let dataDir = newDataDir();
    run(dataDir, ["create"], { name: "ci" });
    expect(() => run(dataDir, ["create"], { name: "ci" })).toThrow("There is a token named “ci” already.");
  });
});

describe("token list", () => {
  test("shows columns, without a secret", () => {
    let dataDir = newDataDir();
    let token = run(dataDir, ["create"], { name: "ci", scope: "upload" }).stdout.trim();
    run(dataDir, ["create"], { name: "写真 office", scope: "upload,view,delete", expires: "2027-01-31" });
    withTokens(dataDir, (tokens) => tokens.verify(token));
    expect(run(dataDir, ["list"])).toEqual({
      stdout: [
        "ID  NAME         SCOPES              CREATED           EXPIRES           LAST USED",
        "1   ci           upload              2026-11-23 12:00  never             2026-11-23 12:00",
        "2   写真 office  upload,view,delete  2026-11-23 12:00  2027-01-31 23:59  never",
        "",
      ].join("\n"),
      stderr: "",
    });
  });

  test("tells which ones have expired", () => {
    let dataDir = newDataDir();
    withTokens(dataDir, (tokens) =>
      tokens.create({ name: "old", scopes: ["view"], expiresAtMs: clock.nowMs() }),
    );
    expect(run(dataDir, ["list"]).stdout).toContain("expired 2026-11-23 12:00");
  });

  test("prints JSON when asked", () => {
    let dataDir = newDataDir();
    run(dataDir, ["create"], { name: "ci", scope: "upload", expires: "12h" });
    expect(JSON.parse(run(dataDir, ["list"], { json: true }).stdout)).toEqual([
      {
        id: 1,
        name: "ci",
        scopes: ["upload"],
        created_at: "2026-11-23T12:00:00.000Z",
        expires_at: "2026-11-24T00:00:00.000Z",
        last_used_at: null,
      },
    ]);
  });

  test("of none says so beside stdout, or prints an empty JSON list", () => {
    let dataDir = newDataDir();
    expect(run(dataDir, ["list"])).toEqual({
      stdout: "",
      stderr: `${newFolder(dataDir)}There are no tokens; “s3-uploads token create” makes one.\n`,
    });
    expect(run(dataDir, ["list"]).stderr).toBe("There are no tokens; “s3-uploads token create” makes one.\n");
    expect(run(dataDir, ["list"], { json: true }).stdout).toBe("[]\n");
  });
});

describe("token revoke", () => {
  test("takes an id or a name", () => {
    let dataDir = newDataDir();
    run(dataDir, ["create"], { name: "a" });
    run(dataDir, ["create"], { name: "b" });
    expect(run(dataDir, ["revoke", "1"])).toEqual({
      stdout: "",
      stderr: "Token 1 (a) is revoked, and its sessions are ended.\n",
    });
    run(dataDir, ["revoke", "b"]);
    expect(withTokens(dataDir, (tokens) => tokens.list())).toEqual([]);
  });

  test("of an unknown one is an error", () => {
    expect(() => run(newDataDir(), ["revoke", "nobody"])).toThrow("There is no token “nobody”");
  });
});

test.each([
  [[], "Say which: s3-uploads token create|list|revoke."],
  [["remove"], "There is no “token remove”: s3-uploads token create|list|revoke."],
  [["constructor"], "There is no “token constructor”"],
  [["create", "ci"], "“token create” does not take “ci”."],
  [["list", "ci"], "“token list” does not take “ci”."],
  [["revoke"], "Say which token: s3-uploads token revoke ID|NAME."],
  [["revoke", "1", "2"], "“token revoke” does not take “2”."],
])("token %j is refused with a sentence", (positionals, sentence) => {
  let dataDir = newDataDir();
  expect(() => run(dataDir, positionals)).toThrow(sentence);
  expect(existsSync(dataDir)).toBe(false);
});

describe("--expires", () => {
  test.each([
    ["12h", "2026-11-24T00:00:00.000Z"],
    ["30d", "2026-12-23T12:00:00.000Z"],
    ["8w", "2027-01-18T12:00:00.000Z"],
    ["2027-01-31", "2027-01-31T23:59:59.999Z"],
    ["2026-11-23", "2026-11-23T23:59:59.999Z"],
    ["2028-02-29", "2028-02-29T23:59:59.999Z"],
  ])("%s is %s", (text, expected) => {
    expect(new Date(parseExpiry(text, clock.nowMs())).toISOString()).toBe(expected);
  });

  test.each([
    "",
    "30",
    "d",
    "-1d",
    "0d",
    "30m",
    "1e3d",
    "99999d",
    "2027-02-29",
    "2027-13-01",
    "27-01-31",
    "2027-1-31",
    "2027-01-31T00:00",
  ])("%j is refused", (text) => {
    expect(() => parseExpiry(text, clock.nowMs())).toThrow(AppError);
  });
});
