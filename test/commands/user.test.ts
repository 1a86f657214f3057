import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ReadStream } from "node:tty";

import { createPasswords } from "../../src/auth/passwords.ts";
import { runInvite } from "../../src/commands/invite.ts";
import { runUser, type UserCommand } from "../../src/commands/user.ts";
import { AppError } from "../../src/errors.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { createAudit } from "../../src/state/audit.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createUsers } from "../../src/state/users.ts";
import { createWriteBehind } from "../../src/state/write-behind.ts";
import { createPrompt } from "../../src/terminal/prompt.ts";

const folder = mkdtempSync(join(tmpdir(), "user-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const clock = { nowMs: () => Date.UTC(2026, 10, 23, 12) };

let made = 0;
function newDataDir(): string {
  return join(folder, `${++made}`, "data");
}

/** @param typed what a person answers; null where there is no terminal */
async function user(
  dataDir: string,
  positionals: string[],
  options: UserCommand["options"] = {},
  typed: string[] | null = null,
  stdin = "",
) {
  let out = { stdout: "", stderr: "", prompts: [] as string[] };
  await runUser({
    positionals,
    options,
    dataDir,
    clock,
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    prompt: {
      isInteractive: typed !== null,
      askSecret: async (prompt) => {
        out.prompts.push(prompt);
        return typed?.shift() ?? "";
      },
      readAll: async () => stdin,
    },
  });
  return out;
}

/** What is said when a command makes its data folder. */
function newFolder(dataDir: string): string {
  return `The data folder ${dataDir} is new: a server with another one knows nothing of this.\n`;
}

async function fits(dataDir: string, name: string, password: string): Promise<boolean> {
  let db = openStateDatabase(join(dataDir, "internal", "state.db"));
  try {
    let hash = createUsers(db, clock).find(name)?.passwordHash ?? null;
    return await createPasswords().verify(password, hash);
  } finally {
    closeDatabase(db);
  }
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof AppError ? error.message : String(error);
  }
  return "nothing thrown";
}

describe("user add", () => {
  test("without a terminal makes a password and prints it alone on stdout", async () => {
    let dataDir = newDataDir();
    let { stdout, stderr } = await user(dataDir, ["add", "Ann"]);
    expect(stdout).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}\n$/);
    expect(stderr).toBe(
      `${newFolder(dataDir)}User 1 (ann) may upload, view, and signs in by name and password.\n`,
    );
    expect(await fits(dataDir, "ann", stdout.trim())).toBe(true);
  });

  test("asks a person twice, and prints nothing of the answer", async () => {
    let dataDir = newDataDir();
    let answers = ["a long password", "a long password"];
    let { stdout, stderr, prompts } = await user(dataDir, ["add", "ann"], { scope: "admin" }, answers);
    expect([stdout, prompts]).toEqual(["", ["Password of ann: ", "Once more: "]]);
    expect(stderr).not.toContain("a long password");
    expect(await fits(dataDir, "ann", "a long password")).toBe(true);
    let differ = user(dataDir, ["add", "bob"], {}, ["a long password", "another password"]);
    expect(await problemOf(differ)).toBe("The two passwords differ: nothing was changed.");
    expect((await user(dataDir, ["list"])).stdout).not.toContain("bob");
  });

  test("reads the password from standard input when told to", async () => {
    let dataDir = newDataDir();
    let { stdout } = await user(dataDir, ["add", "ann"], { "password-stdin": true }, null, "from a pipe ok");
    expect(stdout).toBe("");
    expect(await fits(dataDir, "ann", "from a pipe ok")).toBe(true);
    let short = user(dataDir, ["add", "bob"], { "password-stdin": true }, null, "short");
    expect(await problemOf(short)).toContain("A password has at least 10 characters");
  });

  test("refuses a name that is taken, before it asks for anything, and a scope that there is not", async () => {
    let dataDir = newDataDir();
    await user(dataDir, ["add", "ann"]);
    expect(await problemOf(user(dataDir, ["add", "ANN"], {}, []))).toContain(
      "There is a user named “ANN” already",
    );
    expect(await problemOf(user(dataDir, ["add", "bob"], { scope: "all" }))).toContain("“all” is no scope");
  });

  test("never leaves a password in the data folder", async () => {
    let dataDir = newDataDir();
    let { stdout } = await user(dataDir, ["add", "ann"]);
    for (let name of ["state.db", "state.db-wal"]) {
      let path = join(dataDir, "internal", name);
      if (existsSync(path)) expect(readFileSync(path).includes(stdout.trim())).toBe(false);
    }
  });
});

describe("user passwd, list and remove", () => {
  test("change, show and end a user", async () => {
    let dataDir = newDataDir();
    await user(dataDir, ["add", "ann"], { scope: "view,delete" });
    let { stdout } = await user(dataDir, ["passwd", "ann"]);
    expect(await fits(dataDir, "ann", stdout.trim())).toBe(true);
    expect((await user(dataDir, ["list"])).stdout).toBe(
      "ID  NAME  SCOPES       CREATED           SIGNED IN\n1   ann   view,delete  2026-11-23 12:00  never\n",
    );
    expect(JSON.parse((await user(dataDir, ["list"], { json: true })).stdout)).toEqual([
      {
        id: 1,
        name: "ann",
        scopes: ["view", "delete"],
        created_at: "2026-11-23T12:00:00.000Z",
        signed_in_at: null,
      },
    ]);
    expect((await user(dataDir, ["remove", "1"])).stderr).toContain("User 1 (ann) is removed");
    expect((await user(dataDir, ["list"])).stderr).toContain("There are no users");
  });

  test("say who is not there, before they ask for a password", async () => {
    let dataDir = newDataDir();
    expect(await problemOf(user(dataDir, ["passwd", "zoe"], {}, []))).toContain("There is no user “zoe”");
    expect(await problemOf(user(dataDir, ["remove", "zoe"]))).toContain("There is no user “zoe”");
  });
});

describe("user scope", () => {
  test("changes what a user may, by name or id", async () => {
    let dataDir = newDataDir();
    await user(dataDir, ["add", "ann"]);
    expect((await user(dataDir, ["scope", "Ann", "delete,view"])).stderr).toBe(
      "User 1 (ann) may view, delete from now on.\n",
    );
    await user(dataDir, ["scope", "1", "admin"]);
    expect(JSON.parse((await user(dataDir, ["list"], { json: true })).stdout)).toMatchObject([
      { name: "ann", scopes: ["admin"] },
    ]);
    expect(await problemOf(user(dataDir, ["scope", "zoe", "view"]))).toContain("There is no user “zoe”");
    expect(await problemOf(user(dataDir, ["scope", "ann", "all"]))).toContain("“all” is no scope");
  });
});

async function invite(
  dataDir: string,
  positionals: string[],
  options: UserCommand["options"] = {},
  publicUrl: string | null = "https://files.example.org",
) {
  let out = { stdout: "", stderr: "" };
  await runInvite({
    positionals,
    options,
    config: { data_dir: dataDir, base_path: "/-/s3-uploads", public_url: publicUrl },
    publicBase: publicUrl ?? "http://127.0.0.1:8080",
    clock,
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
  });
  return out;
}

describe("invite", () => {
  test("create prints the link alone on stdout, and what it is good for beside it", async () => {
    let dataDir = newDataDir();
    let { stdout, stderr } = await invite(dataDir, ["create"], {
      note: "Photos",
      expires: "30d",
      "max-files": "20",
      "max-mb": "2000",
    });
    expect(stdout).toMatch(/^https:\/\/files\.example\.org\/-\/s3-uploads\/invitation\?key=s3i_[\w-]{43}\n$/);
    expect(stderr).toBe(
      newFolder(dataDir) +
        "Invitation 1: whoever opens this link may send files until 2026-12-23 12:00 UTC, at most 20 files and 2 GB in all. It is shown this once.\n",
    );
  });

  test("create says where the link leads when no public_url tells how others come", async () => {
    let { stdout, stderr } = await invite(newDataDir(), ["create"], {}, null);
    expect(stdout).toStartWith("http://127.0.0.1:8080/-/s3-uploads/invitation?key=");
    expect(stderr).toEndWith(
      "\nIt leads to http://127.0.0.1:8080: where others reach the server by another address, set public_url to that.\n",
    );
  });

  test("create is good for a week, without limits, unless it is told otherwise", async () => {
    let dataDir = newDataDir();
    let { stderr } = await invite(dataDir, ["create"]);
    expect(stderr).toBe(
      newFolder(dataDir) +
        "Invitation 1: whoever opens this link may send files until 2026-11-30 12:00 UTC. It is shown this once.\n",
    );
  });

  test("list shows each without its secret, and revoke ends one", async () => {
    let dataDir = newDataDir();
    let { stdout } = await invite(dataDir, ["create"], { note: "Photos\nand films", "max-files": "2" });
    let listed = (await invite(dataDir, ["list"])).stdout;
    expect(listed).toBe(
      "ID  UNTIL             FILES   SENT     BY            NOTE\n1   2026-11-30 12:00  0 of 2  0 bytes  command line  Photos\n",
    );
    expect((await invite(dataDir, ["list"], { json: true })).stdout).not.toContain(stdout.trim().slice(-43));
    expect((await invite(dataDir, ["revoke", "1"])).stderr).toContain("Invitation 1 is revoked");
    expect(await problemOf(invite(dataDir, ["revoke", "1"]))).toContain("There is no invitation “1”");
  });

  test.each([
    ["max-files", "0"],
    ["max-files", "many"],
    ["max-mb", "1.5"],
    ["expires", "yesterday"],
  ])("create refuses --%s %s", async (name, value) => {
    expect(await problemOf(invite(newDataDir(), ["create"], { [name]: value }))).toContain(`--${name}`);
  });
});

test("what the commands change is in the audit log, by whoever runs them, and nothing secret with it", async () => {
  let dataDir = newDataDir();
  let { stdout: password } = await user(dataDir, ["add", "ann"]);
  await user(dataDir, ["passwd", "ann"], { "password-stdin": true }, null, "another long password");
  await user(dataDir, ["scope", "ann", "view"]);
  await user(dataDir, ["remove", "ann"]);
  let { stdout: link } = await invite(dataDir, ["create"], { "max-files": "2" });
  await invite(dataDir, ["revoke", "1"]);
  let db = openStateDatabase(join(dataDir, "internal", "state.db"));
  let entries = createAudit(db, createWriteBehind(db), clock).list({ size: 100 });
  closeDatabase(db);
  expect(entries.map(({ event, detail }) => [event, detail["subject"]])).toEqual([
    ["invitation_revoked", "invitation:1"],
    ["invitation_created", "invitation:1"],
    ["user_removed", "user:ann"],
    ["user_changed", "user:ann"],
    ["password_changed", "user:ann"],
    ["user_added", "user:ann"],
  ]);
  for (let { by } of entries) expect(by.actor).toStartWith("command line, user ");
  let text = JSON.stringify(entries);
  for (let secret of [password.trim(), "another long password", link.trim().slice(-43)]) {
    expect(text).not.toContain(secret);
  }
});

test("a password is typed on a terminal without being shown, and can be given up", async () => {
  let script = `
    import { createPrompt } from ${JSON.stringify(join(import.meta.dir, "../../src/terminal/prompt.ts"))};
    let prompt = createPrompt(() => process.stdin, (text) => process.stdout.write(text));
    let answer = await prompt.askSecret("Password: ").catch((error) => error.message);
    process.stdout.write("got <" + answer + ">");
    if (process.argv.includes("twice")) {
      process.stdout.write("then <" + (await prompt.askSecret("Once more: ")) + ">");
    }
    process.exit(0);
  `;
  async function type(keys: string, ...args: string[]): Promise<string> {
    let shown = "";
    let asked = Promise.withResolvers<void>();
    let child = Bun.spawn([process.execPath, "-e", script, ...args], {
      env: { PATH: process.env["PATH"] ?? "" },
      terminal: {
        data: (_, bytes) => {
          shown += Buffer.from(bytes).toString();
          if (shown.includes("Password: ")) asked.resolve();
        },
      },
    });
    await asked.promise;
    child.terminal?.write(keys);
    await child.exited;
    return shown;
  }
  let typed = await type("secret wordx\x7fs\r");
  expect(typed.split("got <")[0]).not.toContain("secret");
  expect(typed).toContain("got <secret words>");
  let pasted = await type("one line\rthe other\r", "twice");
  expect([pasted.includes("got <one line>"), pasted.includes("then <the other>")]).toEqual([true, true]);
  expect(await type("secret\x03")).toContain("got <Given up: nothing was changed.>");
});

test("standard input is read to its end, without the newline", async () => {
  let prompt = createPrompt(
    () => Readable.from(["a long ", "password\r\n"]) as unknown as ReadStream,
    () => {},
  );
  expect(await prompt.readAll()).toBe("a long password");
});
