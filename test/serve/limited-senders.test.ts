import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { bytesOf } from "../store/bodies.ts";
import { eventually } from "../support/server.ts";
import { createWorld, type World } from "./world.ts";

setDefaultTimeout(60_000);

let world: World;
beforeAll(async () => {
  world = await createWorld("local", { S3_UPLOADS_ALLOW_ANONYMOUS: "none", S3_UPLOADS_DUPLICATES: "link" });
});
afterAll(() => world.close());

/** The command line beside the running server; what it prints on stdout. */
async function cli(...args: string[]): Promise<string> {
  let command = [process.execPath, "src/main.ts", ...args, "--data-dir", world.server.dataDir];
  let { stdout, stderr, exitCode } = Bun.spawnSync(command, {
    env: { PATH: process.env["PATH"] ?? "" },
    stdin: "ignore",
  });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString().trim();
}

async function send(name: string, body: Uint8Array | ReadableStream, headers: Record<string, string>) {
  let answer = await fetch(`${world.server.base}/upload/${name}`, { method: "PUT", headers, body });
  return { status: answer.status, body: (await answer.json()) as Answer };
}

interface Answer {
  file_id?: number;
  duplicate_of?: number;
  file?: { s3_key: string; uid: string };
  error?: { code: string; limit_bytes?: number };
  rows?: { id: number; filename: string }[];
}

async function ask(path: string, headers: Record<string, string>, init: RequestInit = {}) {
  let answer = await fetch(world.server.base + path, { ...init, headers });
  let text = await answer.text();
  return { status: answer.status, text, body: text.startsWith("{") ? (JSON.parse(text) as Answer) : null };
}

let bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe("a token with a prefix", () => {
  let acme: Record<string, string>;
  let all: Record<string, string>;
  let theirs: Answer;
  let mine: Answer;
  beforeAll(async () => {
    acme = bearer(
      await cli(
        "token",
        "create",
        "--name",
        "acme",
        "--scope",
        "upload,view,delete",
        "--prefix",
        "clients/acme",
      ),
    );
    let neighbour = bearer(
      await cli("token", "create", "--name", "ac", "--scope", "upload,view", "--prefix", "clients/acme2"),
    );
    all = bearer(await cli("token", "create", "--name", "all", "--scope", "upload,view,delete"));
    theirs = (await send("theirs.bin", bytesOf(5000), all)).body;
    await send("neighbour.bin", bytesOf(5000), neighbour);
    mine = (await send("mine.bin", bytesOf(5000), acme)).body;
  });

  test("puts its files below it, each with bytes of its own", () => {
    expect(mine.file?.s3_key).toMatch(/^uploads\/folders\/clients\/acme\/\d{4}\/\d\d\/[0-9a-f-]{36}\.bin$/);
    expect(mine.duplicate_of).toBeUndefined();
  });

  test("lists its own files and no others, in every form and order", async () => {
    for (let path of [
      "/files.json",
      "/files.json?_sort=filename",
      "/files.json?_search=bin",
      "/files.json?kind=other",
    ]) {
      let { body } = await ask(path, acme);
      expect([path, body?.rows?.map(({ filename }) => filename)]).toEqual([path, ["mine.bin"]]);
    }
    let csv = (await ask("/files.csv", acme)).text;
    expect(csv.trim().split("\r\n")).toHaveLength(2);
    let html = (await ask("/files", { ...acme, Accept: "text/html" })).text;
    expect([html.includes("mine.bin"), html.includes("theirs.bin")]).toEqual([true, false]);
    expect((await ask("", { ...acme, Accept: "text/html" })).text).not.toContain("theirs.bin");
    expect((await ask("/files.json", all)).body?.rows).toHaveLength(3);
  });

  test("finds no other file by id or uid, and deletes and restores none", async () => {
    for (let id of [theirs.file_id, theirs.file?.uid]) {
      for (let path of [
        `/files/${id}`,
        `/files/${id}.json`,
        `/files/${id}/download`,
        `/files/${id}/thumbnail`,
      ]) {
        expect([path, (await ask(path, acme)).status]).toEqual([path, 404]);
      }
      expect((await ask(`/files/${id}`, acme, { method: "DELETE" })).status).toBe(404);
    }
    let form = { ...acme, "Content-Type": "application/x-www-form-urlencoded" };
    let body = `id=${theirs.file_id}&confirmed=1`;
    for (let headers of [form, { ...form, Accept: "text/html" }]) {
      expect((await ask("/files/delete", headers, { method: "POST", body })).status).toBe(404);
    }
    expect((await ask(`/files/${theirs.file_id}/delete`, form, { method: "POST" })).status).toBe(404);
    expect((await ask(`/files/${theirs.file_id}`, all)).status).toBe(200);

    let page = { ...all, "Content-Type": "application/x-www-form-urlencoded", Accept: "text/html" };
    let trashed = await ask("/files/delete", page, { method: "POST", body, redirect: "manual" });
    expect(trashed.status).toBe(303);
    let restore = (headers: Record<string, string>) =>
      ask("/files/restore", headers, { method: "POST", body: `id=${theirs.file_id}` });
    expect((await restore(form)).status).toBe(404);
    expect((await restore({ ...page, Accept: "application/json" })).status).toBe(200);
  });

  test("has its own files back from the trash, and deletes them", async () => {
    let page = { ...acme, "Content-Type": "application/x-www-form-urlencoded", Accept: "text/html" };
    let body = `id=${mine.file_id}&confirmed=1`;
    let trashed = await ask("/files/delete", page, { method: "POST", body, redirect: "manual" });
    expect(trashed.status).toBe(303);
    expect((await ask(`/files/${mine.file_id}`, acme)).status).toBe(404);
    let restore = { ...page, Accept: "application/json" };
    expect((await ask("/files/restore", restore, { method: "POST", body })).status).toBe(200);
    expect((await ask(`/files/${mine.file_id}`, acme)).status).toBe(200);
    expect((await ask(`/files/${mine.file_id}`, acme, { method: "DELETE" })).status).toBe(200);
    expect((await ask("/files.json", acme)).body?.rows).toEqual([]);
  });
});

describe("a token with a quota", () => {
  test("sends as much as fits, also many files at once, and is told what is left", async () => {
    let token = bearer(await cli("token", "create", "--name", "small", "--scope", "upload", "--max-mb", "1"));
    let tooLarge = await send("a.bin", bytesOf(1_100_000), token);
    expect([tooLarge.status, tooLarge.body.error]).toMatchObject([
      413,
      { code: "quota_exceeded", limit_bytes: 1_048_576 },
    ]);
    let answers = await Promise.all(
      Array.from({ length: 12 }, (_, nth) =>
        // Half of them don't say how long they are.
        send(
          `${nth}.bin`,
          nth % 2 === 0 ? bytesOf(200_000 + nth) : new Blob([bytesOf(200_000 + nth)]).stream(),
          token,
        ),
      ),
    );
    let taken = answers.filter(({ status }) => status === 201);
    expect(taken).toHaveLength(5);
    for (let { status, body } of answers) {
      if (status !== 201) expect([status, body.error?.code]).toEqual([413, "quota_exceeded"]);
    }
    let [row] = JSON.parse(await cli("token", "list", "--json")).filter(
      ({ name }: { name: string }) => name === "small",
    );
    expect(row.sent_bytes).toBeGreaterThanOrEqual(1_000_000);
    expect(row.sent_bytes).toBeLessThanOrEqual(1_048_576);
    expect((await send("small.bin", bytesOf(10), token)).status).toBe(201);
  });
});

/** A new invitation, as a browser has it that opened the link. */
async function invite(...options: string[]) {
  let link = await cli("invite", "create", ...options);
  let key = new URL(link).searchParams.get("key") ?? "";
  return { key, headers: { Cookie: `s3u_session=${key}` } };
}

/** Waits until so many uploads are under way. */
async function open(uploads: number): Promise<void> {
  await eventually(
    () => world.census().intents,
    (intents) => intents === uploads,
  );
}

/** Files and bytes of the newest invitation. */
async function usage() {
  let [last] = JSON.parse(await cli("invite", "list", "--json"));
  return [last.files, last.bytes];
}

describe("an invitation", () => {
  test("takes as many files as it says, of many that come at once, whatever becomes of others", async () => {
    let { headers } = await invite("--max-files", "4");
    let answers = await Promise.all(
      Array.from({ length: 10 }, (_, nth) => send(`f${nth}.bin`, bytesOf(3000 + nth), headers)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
    expect(await usage()).toEqual([4, expect.any(Number)]);
    expect((await send("late.bin", bytesOf(1), headers)).body.error?.code).toBe("quota_exceeded");
  });

  test("does not count files that break off, are refused, or are sent again with their key", async () => {
    let { headers } = await invite("--max-files", "2", "--max-mb", "1");
    let gone = new AbortController();
    let broken = new ReadableStream({ start: (controller) => controller.enqueue(bytesOf(500_000)) });
    let sending = fetch(`${world.server.base}/upload/broken.bin`, {
      method: "PUT",
      headers,
      body: broken,
      signal: gone.signal,
    }).catch(() => {});
    await open(1);
    gone.abort();
    await sending;
    await open(0);
    expect((await send("large.bin", bytesOf(1_100_000), headers)).body.error?.code).toBe("quota_exceeded");
    let keyed = { ...headers, "Idempotency-Key": crypto.randomUUID() };
    for (let nth = 0; nth < 2; nth++) expect((await send("one.bin", bytesOf(100), keyed)).status).toBe(201);
    expect((await send("two.bin", bytesOf(200), headers)).status).toBe(201);
    expect(await usage()).toEqual([2, 300]);
    expect((await send("three.bin", bytesOf(1), headers)).status).toBe(413);
  });

  test("takes what fits of one form, and says so of each file", async () => {
    let { headers } = await invite("--max-files", "2");
    let form = new FormData();
    for (let name of ["a.txt", "b.txt", "c.txt"]) form.append("file", new File([name], name));
    let answer = await ask("/upload", headers, { method: "POST", body: form });
    expect(answer.status).toBe(207);
    expect(answer.text).toContain("This invitation takes no more files.");
    expect(await usage()).toEqual([2, 10]);
  });

  test("ends for one in the middle of sending when it is revoked", async () => {
    let { headers } = await invite();
    let [{ id }] = JSON.parse(await cli("invite", "list", "--json"));
    let { rows, objects } = world.census();
    let revoked = Promise.withResolvers<void>();
    let slow = new ReadableStream({
      async start(controller) {
        controller.enqueue(bytesOf(500_000));
        await revoked.promise;
        controller.enqueue(bytesOf(10));
        controller.close();
      },
    });
    let sending = send("slow.bin", slow, headers);
    await open(1);
    await cli("invite", "revoke", String(id));
    revoked.resolve();
    expect((await sending).status).toBe(403);
    let settled = { rows, objects, intents: 0 };
    await eventually(
      () => world.census(),
      (seen) => Bun.deepMatch(settled, seen),
    );
  });

  test("is not in what the server logs, nor in its answers", async () => {
    let { key } = await invite();
    await fetch(`${world.server.base}/invitation?key=${key}`, { redirect: "manual" });
    let answer = await ask("/files", { Cookie: `s3u_session=${key}` });
    expect(answer.text).not.toContain(key);
    expect(world.server.stderr()).not.toContain(key.slice(4));
  });
});

/** Sends all but the last bytes, ends the sender, and sends those. */
async function shutOut(headers: Record<string, string>, path: string, ...end: string[]) {
  let { rows, objects } = world.census();
  let ended = Promise.withResolvers<void>();
  let body = new ReadableStream({
    async start(controller) {
      controller.enqueue(bytesOf(500_000));
      await ended.promise;
      controller.enqueue(bytesOf(10));
      controller.close();
    },
  });
  let sending = ask(
    path,
    { "Content-Type": "application/octet-stream", ...headers },
    { method: "PUT", body },
  );
  await eventually(
    () => world.census().intents,
    (intents) => intents === 1,
  );
  await cli(...end);
  ended.resolve();
  expect((await sending).status).toBe(403);
  let settled = { rows, objects, intents: 0 };
  await eventually(
    () => world.census(),
    (seen) => Bun.deepMatch(settled, seen),
  );
}

describe("whoever is shut out in the middle of sending", () => {
  test("leaves nothing by a token without limits, nor by a sign-in", async () => {
    let token = await cli("token", "create", "--name", "leaked");
    await shutOut({ Authorization: `Bearer ${token}` }, "/upload/slow.bin", "token", "revoke", "leaked");
    let password = await cli("user", "add", "cut-off", "--scope", "upload");
    let basic = { Authorization: `Basic ${btoa(`cut-off:${password}`)}` };
    await shutOut(basic, "/upload/slow.bin", "user", "remove", "cut-off");
  });
});

describe("users", () => {
  test("are made beside the running server, sign in with curl, and end at once", async () => {
    let password = await cli("user", "add", "ann", "--scope", "view");
    let basic = { Authorization: `Basic ${btoa(`ann:${password}`)}` };
    expect((await ask("/files.json", basic)).status).toBe(200);
    expect((await ask("/upload/a", basic, { method: "PUT", body: "x" })).status).toBe(403);
    await cli("user", "remove", "ann");
    expect((await ask("/files.json", basic)).status).toBe(401);
  });
});
