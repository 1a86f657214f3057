import { constants, Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { KIB } from "../../src/units.ts";
import { bytesOf, sha256Of } from "../store/bodies.ts";
import { refusedStart, run } from "../support/refused-start.ts";
import { eventually, makeDataDir, removeDataDir, startServer } from "../support/server.ts";

const pageBytes = 4 * KIB;
const files = 40;
/** Some tests start six programs, one after another. */
setDefaultTimeout(120_000);

/** A folder as a server leaves it that was killed: with rows in uploads.db and more of them in its -wal. */
let original = makeDataDir();
let folders: string[] = [original];
beforeAll(async () => {
  let server = await startServer(original);
  for (let nth = 0; nth < files; nth++) await put(server.base, nth);
  expect(await server.stop()).toBe(0);
  server = await startServer(original);
  for (let nth = 0; nth < 3; nth++) await put(server.base, files + nth);
  await server.kill();
});
afterAll(() => folders.forEach(removeDataDir));

async function put(base: string, nth: number): Promise<void> {
  let name = `${"n".repeat(200)} ${nth}.bin`;
  let { status } = await fetch(`${base}/upload/${name}`, { method: "PUT", body: bytesOf(100 + nth) });
  expect(status).toBe(201);
}

function copyOfFolder(): string {
  let copy = makeDataDir();
  folders.push(copy);
  cpSync(original, copy, { recursive: true });
  return copy;
}

/** Overwrites bytes where they are. */
function spoil(path: string, at: number, length: number, byte = 0x5a): void {
  let bytes = readFileSync(path);
  bytes.fill(byte, at, at + length);
  writeFileSync(path, bytes);
}

function middlePage(path: string): number {
  let pages = readFileSync(path).length / pageBytes;
  return Math.floor(pages / 2) * pageBytes;
}

let damages: [what: string, suffix: "" | "under -wal" | "-wal", harm: (path: string) => void][] = [
  ["whose begin is garbage", "", (path) => spoil(path, 0, 100)],
  ["that was cut", "", (path) => truncateSync(path, 3 * pageBytes + 17)],
  ["that was cut to nothing", "", (path) => truncateSync(path, 0)],
  ["with an overwritten page", "", (path) => spoil(path, middlePage(path), pageBytes)],
  [
    "with an overwritten page under its -wal",
    "under -wal",
    (path) => spoil(path, 2 * pageBytes, 9 * pageBytes),
  ],
  ["that was cut under its -wal", "under -wal", (path) => truncateSync(path, 3 * pageBytes)],
  ["whose -wal begins with garbage", "-wal", (path) => spoil(path, 0, 64)],
  ["whose -wal is garbage", "-wal", (path) => spoil(path, 0, readFileSync(path).length)],
];
let databases: [name: string, place: string, advice: RegExp][] = [
  [
    "uploads.db",
    "uploads.db",
    /stop the server, move uploads\.db, uploads\.db-wal and uploads\.db-shm to another folder, run s3-uploads import/,
  ],
  [
    "state.db",
    "internal/state.db",
    /stop the server, move state\.db, .* start the server again and run s3-uploads reconcile\. Access tokens have to be made anew/,
  ],
];

for (let [name, place, advice] of databases) {
  describe(name, () => {
    for (let [what, suffix, harm] of damages) {
      test(`${what}: the start is refused with a sentence that helps, and the file kept as it is`, async () => {
        let folder = copyOfFolder();
        let path = join(folder, place);
        // What is in the -wal would stand for what is damaged under it.
        if (suffix === "") checkpoint(path);
        harm(suffix === "-wal" ? `${path}-wal` : path);
        let before = ["", "-wal"].map((end) => sha256Of(readFileSync(path + end)));
        let { exitCode, stderr, stdout } = await refusedStart(folder);
        expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
        expect(stderr).toStartWith("s3-uploads: ");
        expect(stderr).toContain(`${name} is damaged`);
        expect(stderr).toContain("It was left as it is.");
        expect(stderr).toMatch(advice);
        expect(stderr.trim().split("\n")).toHaveLength(1);
        expect(["", "-wal"].map((end) => sha256Of(readFileSync(path + end)))).toEqual(before);
      });
    }

    for (let [what, harm] of [
      ["that is empty, without its -wal", (path) => truncateSync(path, 0)],
      ["that is full of zeros, without its -wal", (path) => spoil(path, 0, readFileSync(path).length, 0)],
    ] as [string, (path: string) => void][]) {
      test(`${what}, as a power cut may leave it: no command takes it for a new one`, async () => {
        let folder = copyOfFolder();
        let path = join(folder, place);
        forgetIntents(folder);
        checkpoint(path);
        harm(path);
        for (let end of ["-wal", "-shm"]) rmSync(path + end, { force: true });
        let before = sha256Of(readFileSync(path));
        let commands = [["serve", "--port", "0"], ["reconcile"], ["reconcile", "--repair"]];
        if (name === "state.db") commands.push(["import"], ["token", "create", "--name", "x"]);
        for (let command of commands) {
          let { exitCode, stderr, stdout } = await run([...command, "--data-dir", folder]);
          expect({ command, exitCode, stdout }).toEqual({
            command,
            exitCode: command[0] === "reconcile" ? 3 : 1,
            stdout: "",
          });
          expect(sha256Of(readFileSync(path))).toBe(before);
          if (stderr.includes(`The catalog ${path} is empty: put a copy in its place`)) continue;
          expect(stderr).toContain(`${name} is damaged (`);
          expect(stderr).toMatch(advice);
        }
      });
    }

    test("that is gone, but not its -wal: the start is refused, and the -wal kept as it is", async () => {
      let folder = copyOfFolder();
      let path = join(folder, place);
      rmSync(path);
      let before = sha256Of(readFileSync(`${path}-wal`));
      let { exitCode, stderr } = await refusedStart(folder);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`${name} is damaged (it is gone, and its ${name}-wal is not)`);
      expect(existsSync(path)).toBe(false);
      expect(sha256Of(readFileSync(`${path}-wal`))).toBe(before);
    });

    test("of a newer program: the start is refused, and the file kept as it is", async () => {
      let folder = copyOfFolder();
      let path = join(folder, place);
      {
        using db = new Database(path);
        db.run("PRAGMA user_version = 99");
      }
      let before = sha256Of(readFileSync(path));
      let { exitCode, stderr } = await refusedStart(folder);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^s3-uploads: \\S*${name} was written by a newer s3-uploads \\(schema 99; this program knows \\d+\\)\\. Start the newer program instead\\.\n$`,
        ),
      );
      expect(sha256Of(readFileSync(path))).toBe(before);
    });
  });
}

function forgetIntents(folder: string): void {
  using database = new Database(join(folder, "internal", "state.db"));
  database.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
  database.run("DELETE FROM intents");
}

function checkpoint(path: string): void {
  using db = new Database(path);
  db.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

test("a lock that is damaged says that it may be removed", async () => {
  let folder = copyOfFolder();
  writeFileSync(join(folder, "internal", "lock.db"), "x".repeat(5000));
  let { exitCode, stderr } = await refusedStart(folder);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("lock.db is damaged");
  expect(stderr).toContain("It holds nothing: stop the server, remove the file and start again.");
});

test("a new catalog in a folder that is not new is warned of: the old one may be lost", async () => {
  let folder = copyOfFolder();
  forgetIntents(folder);
  checkpoint(join(folder, "uploads.db"));
  rmSync(join(folder, "uploads.db"));
  let warning =
    "Warning  The catalog is new, but this data folder is not. If uploads.db was lost, stop the server";
  for (let [data, isWarned] of [
    [folder, true],
    [folder, false],
    [copyOfFolder(), false],
    [makeDataDir(), false],
  ] as const) {
    folders.push(data);
    let server = await startServer(data);
    expect(server.banner().includes(warning)).toBe(isWarned);
    await server.stop();
  }
});

test("a private database that is gone beside a catalog is begun anew and told of", async () => {
  let warning = "Warning  internal/state.db is new, but the catalog is not: tokens, users";
  for (let [isServed, command] of [
    [true, null],
    [false, null],
    [true, ["token", "create", "--name", "x"]],
  ] as const) {
    let folder = copyOfFolder();
    // Without the folder: a catalog that was restored elsewhere.
    if (!isServed) rmSync(join(folder, "internal"), { recursive: true });
    else {
      // As a clean end leaves the -wal.
      checkpoint(join(folder, "internal", "state.db"));
      rmSync(join(folder, "internal", "state.db"));
    }
    if (command) {
      let { exitCode, stderr } = await run([...command, "--data-dir", folder]);
      expect(exitCode).toBe(0);
      expect(stderr).toContain("state.db is new, but the catalog is not: tokens, users and invitations");
    }
    for (let isWarned of [command === null, false]) {
      let server = await startServer(folder);
      expect(server.banner().includes(warning)).toBe(isWarned);
      let list = (await (await fetch(`${server.base}/files.json`)).json()) as { rows: unknown[] };
      expect(list.rows).toHaveLength(files + 3);
      await server.stop();
    }
  }
});

test("files that are gone all at once are told of at every start: their disk may not be mounted", async () => {
  let folder = copyOfFolder();
  let warning = "Warning  The catalog has files in objects/, and nothing is in there";
  rmSync(join(folder, "objects"), { recursive: true });
  for (let isThere of [false, false, true]) {
    if (isThere) cpSync(join(original, "objects"), join(folder, "objects"), { recursive: true });
    let server = await startServer(folder);
    expect(server.banner().includes(warning)).toBe(!isThere);
    await server.stop();
  }
});

test("databases that a start left empty when it was killed are made by the next one", async () => {
  for (let empty of [["internal/state.db"], ["internal/state.db", "uploads.db"], ["uploads.db"]]) {
    let folder = makeDataDir();
    folders.push(folder);
    // A state.db with a token in it, when it is not to be empty.
    if (empty.length === 1) await run(["token", "create", "--name", "x", "--data-dir", folder]);
    mkdirSync(join(folder, "internal"), { recursive: true });
    for (let place of empty) {
      for (let end of ["", "-wal", "-shm"]) rmSync(join(folder, place + end), { force: true });
      writeFileSync(join(folder, place), "");
    }
    let server = await startServer(folder);
    expect(server.banner()).not.toContain("Warning");
    await server.stop();
  }
});

test("a catalog without a byte is one that is lost: what was under way is not taken for unfinished", async () => {
  let folder = copyOfFolder();
  {
    using state = new Database(join(folder, "internal", "state.db"));
    state.run(
      `INSERT INTO intents (kind, uid, storage, bucket, key, created_at_ms) VALUES ('upload', 'u', 'local', 'local', 'k', 1)`,
    );
  }
  for (let end of ["-wal", "-shm"]) rmSync(join(folder, `uploads.db${end}`), { force: true });
  truncateSync(join(folder, "uploads.db"), 0);
  let { exitCode, stderr } = await refusedStart(folder);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("uploads.db is gone, but the journal knows of");
});

test.each(["uploads.db", "internal/state.db"])(
  "a folder in the place of %s is named as such",
  async (place) => {
    let folder = copyOfFolder();
    let path = join(folder, place);
    for (let end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
    mkdirSync(path);
    let { exitCode, stderr } = await refusedStart(folder);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `s3-uploads: Could not open ${basename(place)}: ${path} is not a file. Move it away, or change data_dir.\n`,
    );
  },
);

test("moving a damaged journal aside, as it is told, brings the server up with every file", async () => {
  let folder = copyOfFolder();
  let state = join(folder, "internal", "state.db");
  checkpoint(state);
  spoil(state, 0, 100);
  expect((await refusedStart(folder)).exitCode).toBe(1);
  for (let end of ["", "-wal", "-shm"]) rmSync(join(folder, "internal", `state.db${end}`), { force: true });
  let server = await startServer(folder);
  try {
    let list = (await (await fetch(`${server.base}/files.json`)).json()) as { rows: { url: string }[] };
    expect(list.rows).toHaveLength(files + 3);
    await put(server.base, 99);
  } finally {
    await server.kill();
  }
});

test("damage that shows while the server runs: 500, in full in the log once, and the server lives", async () => {
  let folder = copyOfFolder();
  let path = join(folder, "uploads.db");
  checkpoint(path);
  let server = await startServer(folder);
  try {
    // Behind the server's back, and more than its page cache holds from the start.
    let bytes = readFileSync(path);
    for (let at = 2 * pageBytes; at < bytes.length; at += pageBytes) bytes.fill(0x5a, at, at + pageBytes);
    writeFileSync(path, bytes);
    let ask = async () => (await fetch(`${server.base}/files.json?_search=nnn&_sort=size_bytes`)).status;
    expect([await ask(), await ask(), await ask()]).toEqual([500, 500, 500]);
    let log = await eventually(
      () => server.stderr(),
      (text) => text.split("said before").length > 2,
    );
    expect(log).toContain("uploads.db is damaged");
    expect(log.split("run s3-uploads import").length - 1).toBeGreaterThan(0);
    let told = log.split("\n").filter((line) => line.includes("run s3-uploads import"));
    expect(told).toHaveLength(1);
    expect((await fetch(`${server.base}/healthz`)).status).toBe(200);
  } finally {
    await server.kill();
  }
});
