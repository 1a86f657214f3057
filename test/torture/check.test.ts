import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { check, type Subject } from "../../torture/check.ts";
import { createClient } from "../../torture/client.ts";
import { sha256Of } from "../../torture/content.ts";
import { openDatabases } from "../../torture/databases.ts";
import { createLedger, createTally, type SentFile } from "../../torture/ledger.ts";
import { filesIn, localObjects } from "../../torture/objects.ts";
import { bytesOf } from "../store/bodies.ts";
import { makeDataDir, removeDataDir, startServer, type TestServer } from "../support/server.ts";

const startTimeoutMs = 30_000;

/** A test of torture's own eyes: what they don't see, no run can find. */
let server: TestServer;
let dataDir = makeDataDir();
let subject: Subject;
let sent: SentFile[] = [];

beforeAll(async () => {
  server = await startServer(dataDir);
  subject = {
    dataDir,
    databases: openDatabases(dataDir),
    objects: localObjects(dataDir),
    ledger: createLedger(createTally()),
    digests: new Map(),
  };
  let wrong: string[] = [];
  let client = createClient(server.base, subject.ledger, (what) => wrong.push(what));
  sent = ["a.bin", "b.bin", "c.bin"].map((name, at) => fileOf(name, bytesOf(1000 + at)));
  await client.form(sent);
  expect(wrong).toEqual([]);
  expect(subject.ledger.tally.acknowledged).toBe(3);
}, startTimeoutMs);
beforeEach(async () => {
  for (let file of sent) subject.ledger.files.set(file.name, { ...file });
  subject.ledger.deletedUids.clear();
  expect(await check(subject, true)).toEqual([]);
});
afterAll(async () => {
  await server.kill();
  removeDataDir(dataDir);
});

function fileOf(name: string, bytes: Uint8Array): SentFile {
  let file: SentFile = {
    name,
    bytes,
    sha256: sha256Of(bytes),
    known: null,
    deletion: "none",
    idempotencyKey: null,
    pieces: null,
    busy: false,
  };
  subject.ledger.files.set(name, file);
  return file;
}

function pathOf(name: string): string {
  let row = subject.databases.rows().find(({ filename }) => filename === name)!;
  return join(dataDir, "objects", row.s3_key);
}

/** Does harm, looks, and undoes it. */
async function seenWhile(harm: () => () => void): Promise<string[]> {
  let undo = harm();
  try {
    return await check(subject, true);
  } finally {
    undo();
  }
}

function moved(from: string, to: string): () => void {
  renameSync(from, to);
  return () => renameSync(to, from);
}

test("a file that is out of sight and was not deleted, and one that was and is in sight", async () => {
  let a = subject.ledger.files.get("a.bin")!;
  let client = createClient(server.base, subject.ledger, (what) => expect(what).toBe(""));
  await client.trash([a]);
  expect(await check(subject)).toEqual([]);
  expect(a).toMatchObject({ deletion: "trashed" });
  a.deletion = "none";
  expect(await check(subject)).toEqual(["out of sight, and nobody asked for it: a.bin"]);
  a.deletion = "trashed";
  // What a look sees that comes in the middle of its end.
  let gone = await seenWhile(() => moved(pathOf("a.bin"), join(dataDir, "elsewhere")));
  expect(gone).toEqual([]);
  await client.undo([a]);
  gone = await seenWhile(() => moved(pathOf("a.bin"), join(dataDir, "elsewhere")));
  expect(gone).toContainEqual(expect.stringMatching(/^left behind in storage: .*\.bin\.meta$/));
  expect(await check(subject)).toEqual([]);
  expect(a).toMatchObject({ deletion: "none" });
  a.deletion = "trashed";
  expect(await check(subject)).toEqual([`deleted and back: a.bin ${a.known!.uid}`]);
});

test("an object that is gone", async () => {
  let path = pathOf("a.bin");
  let seen = await seenWhile(() => moved(path, join(dataDir, "elsewhere")));
  expect(seen).toContainEqual(expect.stringMatching(/^row 1 a\.bin without its object/));
});

test("an object with other bytes of the same length", async () => {
  let path = pathOf("a.bin");
  let seen = await seenWhile(() => {
    writeFileSync(path, bytesOf(1000).toReversed());
    return () => writeFileSync(path, sent[0]!.bytes);
  });
  expect(seen).toEqual(["row 1 a.bin: its object has other bytes"]);
});

test("an object that nobody owns, and files that are no objects", async () => {
  let path = pathOf("b.bin");
  let seen = await seenWhile(() => {
    let undoes = [
      moved(path, join(dirname(path), "other.bin")),
      moved(
        join(dirname(path), `.${path.slice(dirname(path).length + 1)}.meta`),
        join(dataDir, "objects", ".tmp", "x"),
      ),
    ];
    return () => undoes.forEach((undo) => undo());
  });
  expect(seen).toContainEqual(expect.stringMatching(/^left behind in storage: \.tmp\/x$/));
  expect(seen).toContainEqual(expect.stringMatching(/^object without a row: .*other\.bin$/));
});

test("a row that is gone, one that should be, and one that nobody sent", async () => {
  subject.ledger.deletedUids.add(sent[0]!.known!.uid);
  subject.ledger.files.delete("b.bin");
  fileOf("d.bin", bytesOf(4)).known = { id: 4, uid: "d" };
  expect(await check(subject)).toEqual([
    expect.stringMatching(/^deleted and back: a\.bin/),
    expect.stringMatching(/^a row that nobody asked for: b\.bin/),
    "acknowledged and lost: d.bin d",
  ]);
  subject.ledger.files.delete("d.bin");
});

test("a row with another id than was told", async () => {
  subject.ledger.files.get("c.bin")!.known = { id: 9, uid: sent[2]!.known!.uid };
  expect(await check(subject)).toEqual([expect.stringMatching(/^another row than was acknowledged: c\.bin/)]);
});

test("an upload without an answer is settled by what is there", async () => {
  let { ledger } = subject;
  ledger.files.get("a.bin")!.known = null;
  fileOf("gone.bin", bytesOf(9));
  let { keptUnacknowledged, gone } = ledger.tally;
  expect(await check(subject)).toEqual([]);
  expect(ledger.files.get("a.bin")!.known).toEqual(sent[0]!.known);
  expect([ledger.tally.keptUnacknowledged, ledger.tally.gone]).toEqual([keptUnacknowledged + 1, gone + 1]);
});

test("an upload in pieces: what it has, where it stands, and that it can go on", async () => {
  let { ledger } = subject;
  let file = fileOf("e.bin", bytesOf(1_000_000));
  let headers = { "Tus-Resumable": "1.0.0", "Upload-Offset": "0" };
  let begun = await fetch(`${server.base}/tus`, {
    method: "POST",
    headers: { ...headers, "Upload-Length": "1000000", "Upload-Metadata": `filename ${btoa(file.name)}` },
  });
  let url = new URL(begun.headers.get("Location")!, server.base).href;
  file.pieces = { uid: url.slice(url.lastIndexOf("/") + 1), acknowledgedBytes: 700_000 };
  expect(await check(subject)).toEqual([
    expect.stringMatching(/^has 0 of 700000 acknowledged bytes: e\.bin/),
  ]);

  await fetch(url, {
    method: "PATCH",
    headers: { ...headers, "Content-Type": "application/offset+octet-stream" },
    body: file.bytes.slice(0, 700_000),
  });
  expect(await check(subject)).toEqual([]);
  expect(ledger.files.get("e.bin")).toBe(file);

  let [path = ""] = filesIn(join(dataDir, "objects", ".unfinished"));
  let unknown = { ...subject, databases: { ...subject.databases, pieces: () => [] } };
  expect(await check(unknown)).toEqual([
    `unfinished in storage: .unfinished/${path}`,
    expect.stringMatching(/^can't go on, being unknown: e\.bin/),
  ]);

  ledger.files.set("e.bin", file);
  let client = createClient(server.base, ledger, (what) => expect(what).toBe(""));
  await client.terminate(file);
  expect(await check(subject)).toEqual([]);
  expect(ledger.files.has("e.bin")).toBe(false);
});

test("an empty upload whose length is told later can go on", async () => {
  let { ledger } = subject;
  let file = fileOf("f.bin", bytesOf(0));
  let begun = await fetch(`${server.base}/tus`, {
    method: "POST",
    headers: {
      "Tus-Resumable": "1.0.0",
      "Upload-Defer-Length": "1",
      "Upload-Metadata": `filename ${btoa(file.name)}`,
    },
  });
  file.pieces = { uid: begun.headers.get("Location")!.split("/").at(-1)!, acknowledgedBytes: 0 };
  expect(await check(subject)).toEqual([]);
  let client = createClient(server.base, ledger, (what) => expect(what).toBe(""));
  await client.terminate(file);
  expect(await check(subject)).toEqual([]);
});
