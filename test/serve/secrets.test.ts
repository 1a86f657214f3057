import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { datasetteFiles } from "../../src/datasette/files.ts";
import { type S3Fake, startS3Fake } from "../support/s3-fake.ts";
import { eventually, makeDataDir, startServer, type TestServer } from "../support/server.ts";

setDefaultTimeout(60_000);

const checkout = join(import.meta.dir, "../..");
const secretKey = "PLANTED/secret+access=key0123456789abcdef";
const sessionToken = "PLANTED-session-token-0123456789abcdef";
const guessed = "s3u_PLANTED-guess-of-a-token-000000000000000000";
const password = "PLANTED-proxy-password";
const search = "PLANTED-search-text";

let dataDir: string;
let fake: S3Fake;
let server: TestServer;
/** By what it is; none of them may be seen anywhere. */
let secrets: Record<string, string> = { secretKey, sessionToken, guessed, password, search };
/** What people and programs were answered. */
let answers: string[] = [];
let commandLines = "";

/** One whole life of a server: every kind of secret is used, rightly and wrongly, and everything fails once. */
beforeAll(async () => {
  dataDir = makeDataDir();
  fake = await startS3Fake();
  // Known to the fake as well, so that requests are signed with it.
  let env = {
    S3_BUCKET: fake.bucket,
    S3_ENDPOINT_URL: fake.endpointUrl,
    S3_REGION: fake.region,
    AWS_ACCESS_KEY_ID: fake.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_SESSION_TOKEN: sessionToken,
    S3_UPLOADS_ALLOW_ANONYMOUS: "none",
    S3_UPLOADS_TRUSTED_PROXIES: "127.0.0.1",
    S3_UPLOADS_DOWNLOAD: "redirect",
    S3_UPLOADS_LOG_LEVEL: "trace",
  };
  let token = await command(["token", "create", "--name", "all", "--scope", "admin"], env);
  secrets["token"] = token.trim();
  server = await startServer(dataDir, env);
  commandLines = processList();
  let bearer = { Authorization: `Bearer ${secrets["token"]}` };

  let file = await ask("/upload/a.txt", { method: "PUT", body: "a text", headers: bearer });
  let { file_id } = JSON.parse(file.text) as { file_id: number };
  await ask("/upload/b.txt", { method: "PUT", body: "b", headers: basic(secrets["token"]) });
  let signedIn = await ask(`/sign-in?token=${secrets["token"]}`, { redirect: "manual" });
  let cookie = /s3u_session=([^;]+)/.exec(signedIn.headers.get("Set-Cookie") ?? "")?.[1] ?? "";
  secrets["session"] = cookie;
  let html = { Accept: "text/html", Cookie: `s3u_session=${cookie}` };
  for (let path of ["", "/files", `/files?_search=${search}`, `/files/${file_id}`, "/audit", "/audit.json"]) {
    await ask(path, { headers: html });
  }
  let away = await ask(
    `/files/${file_id}/download`,
    { headers: bearer, redirect: "manual" },
    { keep: false },
  );
  secrets["signature"] =
    new URL(away.headers.get("Location") ?? "").searchParams.get("X-Amz-Signature") ?? "none";
  secrets["idempotency"] = "PLANTED-idempotency-key";
  await ask("/upload/c.txt", {
    method: "PUT",
    body: "c",
    headers: { ...bearer, "Idempotency-Key": secrets["idempotency"] },
  });

  for (let headers of [
    { Authorization: `Bearer ${guessed}` },
    basic(password),
    { Cookie: `s3u_session=${guessed}` },
  ]) {
    await ask("/files", { headers });
    await ask("/upload/x.txt", { method: "PUT", body: "x", headers });
  }
  await ask(`/sign-in?token=${guessed}`, { headers: { Accept: "text/html" } });
  let form = { "Content-Type": "application/x-www-form-urlencoded" };
  await ask("/sign-in", { method: "POST", headers: form, body: `token=${guessed}` });
  await ask(`/nowhere?token=${guessed}&q=${search}`, { headers: bearer });
  await ask("/files/delete", { method: "POST", headers: { ...bearer, ...form }, body: `id=${search}` });

  for (let operation of ["PutObject", "GetObject", "DeleteObject", "ListObjectsV2"] as const) {
    fake.script.fail(operation, { kind: "status", status: 403, code: "SignatureDoesNotMatch" }, { times: 2 });
  }
  await ask("/upload/d.txt", { method: "PUT", body: "d", headers: bearer });
  await ask(`/files/${file_id}/download?frame=1`, { headers: bearer });
  await ask(`/files/${file_id}`, { method: "DELETE", headers: bearer });
  fake.script.heal();
  await ask("/sign-out", { method: "POST", headers: { Cookie: `s3u_session=${cookie}` } });
  await eventually(
    () => server.stderr(),
    (log) => log.includes("sign-out"),
  );
});
afterAll(async () => {
  await server?.kill();
  await fake?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

function basic(word: string): Record<string, string> {
  return { Authorization: `Basic ${btoa(`user:${word}`)}` };
}

async function ask(path: string, init: RequestInit, { keep = true } = {}) {
  let answer = await fetch(`${server.base}${path}`, init);
  let text = await answer.text();
  if (keep) answers.push(`${path.split("?")[0]} ${answer.status} ${text}`);
  return { headers: answer.headers, status: answer.status, text };
}

async function command(words: string[], env: Record<string, string>): Promise<string> {
  let run = Bun.spawn([process.execPath, "src/main.ts", ...words, "--data-dir", dataDir], {
    cwd: checkout,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stderr: "ignore",
  });
  return new Response(run.stdout).text();
}

/** What everybody on the machine can see of our processes. */
function processList(): string {
  return Bun.spawnSync(["ps", "-eo", "args"]).stdout.toString();
}

function expectNoneIn(text: string, where: string): void {
  for (let [what, secret] of Object.entries(secrets)) {
    expect(secret.length).toBeGreaterThan(12);
    for (let form of [secret, encodeURIComponent(secret), btoa(`user:${secret}`)]) {
      expect([where, what, text.includes(form)]).toEqual([where, what, false]);
    }
  }
}

describe("in a whole life of a server no secret is", () => {
  test("in the log, at its most talkative", () => {
    let log = server.stderr();
    expect(log).toContain('"path":"/-/s3-uploads/sign-in"');
    expect(log).toContain("request failed");
    expectNoneIn(log, "log");
    expect(log).not.toContain("X-Amz-Signature");
    expect(log).not.toContain("AWS4-HMAC");
  });

  test("in an answer, a page or an error", () => {
    expect(answers.length).toBeGreaterThan(20);
    let { search: _, ...others } = secrets;
    let all = secrets;
    secrets = others;
    // What somebody searched for is shown to that same person.
    for (let answer of answers) expectNoneIn(answer, answer.slice(0, 40));
    secrets = all;
  });

  test("in the list of processes", () => {
    expect(commandLines).toContain("src/main.ts serve");
    expectNoneIn(commandLines, "ps");
  });

  test("in the catalog, nor in anything else of the data folder", () => {
    for (let path of filesIn(dataDir)) expectNoneIn(readFileSync(path, "latin1"), path);
    let catalog = readFileSync(join(dataDir, "uploads.db"), "latin1");
    for (let word of ["127.0.0.1", "all", "token"]) {
      expect([word, new RegExp(`\\b${word} `).test(catalog)]).toEqual([word, false]);
    }
  });
});

describe("whatever a server makes", () => {
  test("is the owner's alone, even under a careless umask", async () => {
    let folder = makeDataDir();
    rmSync(folder, { recursive: true });
    let local = await startServer(folder, {}, ["sh", "-c", 'umask 000; exec "$@"', "sh"]);
    try {
      let pixel = Buffer.from(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "base64",
      );
      let put = await fetch(`${local.base}/upload/a.png`, { method: "PUT", body: pixel });
      let { file_id } = (await put.json()) as { file_id: number };
      let thumbnail = await fetch(`${local.base}/files/${file_id}/thumbnail`);
      expect([put.status, thumbnail.status]).toEqual([201, 200]);
      let found = everythingIn(folder);
      expect(found.some((path) => path.includes("thumbnails"))).toBe(true);
      expect(found.some((path) => path.includes("objects/uploads"))).toBe(true);
      for (let path of [folder, ...found]) {
        let facts = lstatSync(path);
        let mode = (facts.mode & 0o777).toString(8);
        let expected = datasetteFiles.includes(basename(path)) ? "644" : "600";
        expect([path, mode]).toEqual([path, facts.isDirectory() ? "700" : expected]);
      }
    } finally {
      await local.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("is the owner's alone in a folder that others may enter", async () => {
    let folder = makeDataDir();
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "internal"), { mode: 0o755 });
    writeFileSync(join(folder, "internal", "state.db"), "", { mode: 0o644 });
    let local = await startServer(folder);
    try {
      await fetch(`${local.base}/upload/a.txt`, { method: "PUT", body: "a" });
      // But for what tells Datasette of the catalog.
      for (let path of everythingIn(folder).filter((one) => !datasetteFiles.includes(basename(one)))) {
        expect([path, lstatSync(path).mode & 0o077]).toEqual([path, 0]);
      }
    } finally {
      await local.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function everythingIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
}

function filesIn(folder: string): string[] {
  return everythingIn(folder).filter((path) => lstatSync(path).isFile());
}
