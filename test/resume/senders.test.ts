import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { systemClock } from "../../src/clock.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createInvitations } from "../../src/state/invitations.ts";
import { createTokens, type NewToken } from "../../src/state/tokens.ts";
import { DAY_MS, MIB } from "../../src/units.ts";
import { bytesOf } from "../store/bodies.ts";
import { expectError } from "../support/expect-error.ts";
import { openWorld, type ResumeWorld, testBase, tusOf } from "./world.ts";

let world: ResumeWorld;
let state: ReturnType<typeof openStateDatabase>;
async function open(env: Record<string, string> = {}): Promise<void> {
  await world?.close();
  state?.close();
  world = await openWorld("local", { S3_UPLOADS_ALLOW_ANONYMOUS: "upload", ...env });
  // Beside the server, as the commands do.
  state = openStateDatabase(join(world.dataDir, "internal", "state.db"));
}
beforeEach(() => open());
afterEach(async () => {
  state.close();
  await world.close();
});

interface Row {
  id: number;
  s3_key: string;
  size_bytes: number;
}

/** Requests by somebody with a token. */
function sender(name: string, facts: Partial<NewToken> = {}) {
  let { token } = createTokens(state, systemClock).create({ name, scopes: ["upload"], ...facts });
  return withHeaders({ Authorization: `Bearer ${token}` });
}

function withHeaders(own: Record<string, string>) {
  let ask: ResumeWorld["ask"] = (path, init = {}) =>
    world.ask(path, { ...init, headers: { ...own, ...(init.headers as Record<string, string>) } });
  return { ask, ...tusOf(ask) };
}

let admin = () => sender(`admin ${Bun.randomUUIDv7()}`, { scopes: ["admin"] });

async function rows(): Promise<Row[]> {
  let answer = await admin().ask(`${testBase}/files.json`);
  return ((await answer.json()) as { rows: Row[] }).rows;
}

function usedBytes(name: string): number | undefined {
  return createTokens(state, systemClock)
    .list()
    .find((token) => token.name === name)?.usedBytes;
}

describe("an upload that somebody in particular has begun", () => {
  test("is there for them and for admins alone", async () => {
    let mine = sender("mine");
    let path = await mine.begin(10);
    for (let other of [sender("other"), withHeaders({})]) {
      await expectError(await other.ask(path, { headers: {} }), 404, "not_found");
      expect((await other.head(path)).status).toBe(404);
      await expectError(await other.patch(path, 0, bytesOf(5)), 404, "not_found");
      await expectError(await other.terminate(path), 404, "not_found");
    }
    expect((await mine.patch(path, 0, bytesOf(5))).status).toBe(204);
    expect((await admin().head(path)).headers.get("Upload-Offset")).toBe("5");
    await world.restart();
    expect((await sender("later").head(path)).status).toBe(404);
    expect((await mine.patch(path, 5, bytesOf(5))).status).toBe(204);
  });

  test("gets no row when they are shut out before its last byte", async () => {
    let tokens = createTokens(state, systemClock);
    let { id, token } = tokens.create({ name: "leaked", scopes: ["upload"] });
    let leaked = withHeaders({ Authorization: `Bearer ${token}` });
    let path = await leaked.begin(10);
    // Bytes are asked for when the request was let in.
    let body = new ReadableStream(
      {
        pull(controller) {
          tokens.revoke(id);
          controller.enqueue(bytesOf(10));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    await expectError(await leaked.patch(path, 0, body), 403, "permission_denied");
    expect((await admin().head(path)).status).toBe(410);
    expect(await rows()).toEqual([]);
  });

  test("goes on later when nobody can tell whether they are shut out", async () => {
    let mine = sender("mine");
    let path = await mine.begin(10);
    let body = new ReadableStream(
      {
        pull(controller) {
          state.run("ALTER TABLE tokens RENAME TO tokens_away");
          controller.enqueue(bytesOf(10));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    await expectError(await mine.patch(path, 0, body), 500, "internal_error");
    state.run("ALTER TABLE tokens_away RENAME TO tokens");
    expect((await mine.patch(path, 10, new Uint8Array())).headers.has("S3-Uploads-File-Id")).toBe(true);
    expect(await rows()).toMatchObject([{ size_bytes: 10 }]);
  });

  test("is anybody's when nobody in particular has begun it", async () => {
    let path = await withHeaders({}).begin(10);
    expect((await sender("other").patch(path, 0, bytesOf(10))).status).toBe(204);
  });
});

describe("a sender with a folder", () => {
  test("puts its file below it, also after a restart, with an object of its own", async () => {
    await open({ S3_UPLOADS_DUPLICATES: "link" });
    let everybody = sender("everybody");
    await everybody.patch(await everybody.begin(5000), 0, bytesOf(5000));
    let acme = sender("acme", { folder: "clients/acme" });
    let path = await acme.begin(5000);
    await acme.patch(path, 0, bytesOf(5000).subarray(0, 2000));
    await world.restart();
    expect((await acme.patch(path, 2000, bytesOf(5000).subarray(2000))).status).toBe(204);
    await everybody.patch(await everybody.begin(5000), 0, bytesOf(5000));
    let keys = (await rows()).map(({ s3_key }) => s3_key).toReversed();
    expect(keys[1]).toMatch(/^uploads\/folders\/clients\/acme\/\d{4}\/\d{2}\/[0-9a-f-]+\.bin$/);
    // The others share theirs.
    expect(keys[2]).toBe(keys[0]!);
  });

  test("is linked to by nobody", async () => {
    await open({ S3_UPLOADS_DUPLICATES: "link" });
    let acme = sender("acme", { folder: "acme" });
    await acme.patch(await acme.begin(5000), 0, bytesOf(5000));
    let everybody = sender("everybody");
    await everybody.patch(await everybody.begin(5000), 0, bytesOf(5000));
    expect(new Set((await rows()).map(({ s3_key }) => s3_key)).size).toBe(2);
  });
});

describe("a sender whose files are counted", () => {
  test("begins nothing that has no room, and is counted when the file is recorded", async () => {
    let counted = sender("counted", { maxBytes: 1000 });
    await expectError(await counted.create({ "Upload-Length": "1001" }), 413, "quota_exceeded");
    let path = await counted.begin(600);
    await counted.patch(path, 0, bytesOf(100));
    expect(usedBytes("counted")).toBe(0);
    await world.restart();
    expect((await counted.patch(path, 100, bytesOf(500))).status).toBe(204);
    expect(usedBytes("counted")).toBe(600);
    await expectError(await counted.create({ "Upload-Length": "500" }), 413, "quota_exceeded");
  });

  test("is counted once when a crash comes between the row and the note of it", async () => {
    let counted = sender("counted", { maxBytes: 1000 });
    let path = await counted.begin(600);
    await counted.patch(path, 0, bytesOf(600));
    state.run("UPDATE resumable_uploads SET state = 'open', file_id = NULL");
    await world.restart();
    expect((await counted.head(path)).headers.get("S3-Uploads-File-Id")).toBe("1");
    expect(usedBytes("counted")).toBe(600);
    expect(await rows()).toHaveLength(1);
  });

  test("can't get round the limit by two uploads at once, nor by telling no length", async () => {
    let counted = sender("counted", { maxBytes: 1000 });
    let [one, two] = [await counted.begin(600), await counted.begin(600)];
    expect((await counted.patch(one, 0, bytesOf(599))).status).toBe(204);
    expect((await counted.patch(two, 0, bytesOf(599))).status).toBe(204);
    expect((await counted.patch(one, 599, bytesOf(1))).status).toBe(204);
    await expectError(await counted.patch(two, 599, bytesOf(1)), 413, "quota_exceeded");
    let deferred = (await counted.create({ "Upload-Defer-Length": "1" })).headers.get("Location")!;
    expect((await counted.patch(deferred, 0, bytesOf(300))).status).toBe(204);
    await expectError(await counted.patch(deferred, 300, bytesOf(101)), 413, "quota_exceeded");
    expect((await counted.head(deferred)).status).toBe(410);
    expect(usedBytes("counted")).toBe(600);
    expect(await rows()).toHaveLength(1);
  });

  test("and whose invitation takes one file has sent it", async () => {
    let { secret } = createInvitations(state, systemClock).create({
      note: "",
      createdBy: "user:ann",
      expiresAtMs: Date.now() + 1000 * DAY_MS,
      maxBytes: null,
      maxFiles: 1,
    });
    let invited = withHeaders({ Cookie: `s3u_session=${secret}` });
    expect((await invited.patch(await invited.begin(10), 0, bytesOf(10))).status).toBe(204);
    await expectError(await invited.create({ "Upload-Length": "1" }), 413, "quota_exceeded");
  });
});

test("room for all files together holds for pieces too", async () => {
  await open({ S3_UPLOADS_MAX_TOTAL_MB: "1" });
  let everybody = withHeaders({});
  await expectError(await everybody.create({ "Upload-Length": String(MIB + 1) }), 507, "storage_full");
  let [one, two] = [await everybody.begin(MIB - 100), await everybody.begin(200)];
  expect((await everybody.patch(two, 0, bytesOf(199))).status).toBe(204);
  expect((await everybody.patch(one, 0, bytesOf(MIB - 100))).status).toBe(204);
  await expectError(await everybody.patch(two, 199, bytesOf(1)), 507, "storage_full");
  // It may go on when there is room again.
  let [row] = await rows();
  await admin().ask(`${testBase}/files/${row?.id}`, { method: "DELETE" });
  expect((await everybody.patch(two, 199, bytesOf(1))).status).toBe(204);
});

test("the audit log tells of a file once, by whoever began it, also when the end came after a restart", async () => {
  let mine = sender("mine");
  let path = await mine.begin(10, "a.bin");
  await mine.patch(path, 0, bytesOf(5));
  await world.restart();
  await mine.patch(path, 5, bytesOf(5));
  await world.restart();
  let answer = await admin().ask(`${testBase}/audit.json?event=upload`);
  let { entries } = (await answer.json()) as { entries: { actor: string; detail: object }[] };
  expect(entries).toMatchObject([{ actor: "token:mine", detail: { filename: "a.bin", bytes: 10 } }]);
});

test("who sees no files is not told which other one has the same bytes", async () => {
  await open({ S3_UPLOADS_DUPLICATES: "reject" });
  let tells = async (one: ReturnType<typeof sender>) => {
    let answer = await one.patch(await one.begin(10), 0, bytesOf(10), { Accept: "application/json" });
    let { error } = (await answer.json()) as { error?: { code: string; duplicate_of?: number } };
    return [answer.status, error?.duplicate_of];
  };
  let viewer = sender("viewer", { scopes: ["upload", "view"] });
  expect(await tells(viewer)).toEqual([200, undefined]);
  expect(await tells(viewer)).toEqual([422, 1]);
  expect(await tells(sender("blind"))).toEqual([422, undefined]);
});
