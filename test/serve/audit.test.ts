import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";

import { eventually } from "../support/server.ts";
import { createWorld, type World } from "./world.ts";

interface Entry {
  event: string;
  actor: string | null;
  address: string | null;
  request_id: string | null;
  detail: Record<string, unknown>;
}

let world: World;
beforeEach(async () => {
  world = await createWorld("local");
});
afterEach(() => world.close());

/** As the file has it, oldest first; the server may run or not. */
function entries(event: string): Entry[] {
  using db = new Database(join(world.server.dataDir, "internal", "state.db"), { readonly: true });
  let rows = db
    .query<Entry & { detail_json: string }, [string]>("SELECT * FROM audit WHERE event = ? ORDER BY id")
    .all(event);
  return rows.map(({ detail_json, ...row }) => ({ ...row, detail: JSON.parse(detail_json) }));
}

function put(name: string, requestId = `r-${name}`): Promise<Response> {
  let init = { method: "PUT", body: `bytes of ${name}`, headers: { "X-Request-Id": requestId } };
  return fetch(`${world.server.base}/upload/${name}`, init);
}

test("uploads are written down with who sent what, within a moment", async () => {
  expect((await put("a.txt")).status).toBe(201);
  let [entry] = await eventually(
    () => entries("upload"),
    (found) => found.length === 1,
  );
  expect(entry).toMatchObject({ actor: null, address: "127.0.0.1", request_id: "r-a.txt" });
  expect(entry?.detail).toMatchObject({ file_id: 1, filename: "a.txt", bytes: 14, type: "text/plain" });
});

test("no acknowledged upload or deletion is missing after kill -9, and none is there twice", async () => {
  let names = Array.from({ length: 30 }, (_, nth) => `f-${nth}.txt`);
  await Promise.all(names.slice(0, 20).map((name) => put(name)));
  await Promise.all([1, 2, 3].map((id) => fetch(`${world.server.base}/files/${id}`, { method: "DELETE" })));
  await Promise.all(names.slice(20).map((name) => put(name)));
  await world.server.kill();
  await world.restart();
  let uploads = entries("upload");
  expect(uploads.map(({ detail }) => String(detail["filename"])).toSorted()).toEqual(names.toSorted());
  for (let { address, request_id, detail } of uploads) {
    expect([address, request_id]).toEqual(["127.0.0.1", `r-${String(detail["filename"])}`]);
  }
  let gone = entries("delete").map(({ detail }) => detail["file_id"]);
  expect(gone.toSorted()).toEqual([1, 2, 3]);
});

test("a start is written down with its unusual settings, what changed, and no secret", async () => {
  await world.server.stop();
  let secret = "planted-secret-of-the-settings";
  await world.restart({
    S3_UPLOADS_GPS: "drop",
    AWS_ACCESS_KEY_ID: secret,
    AWS_SECRET_ACCESS_KEY: secret,
  });
  let [, start] = entries("server_started");
  expect(start?.actor).toBe("server");
  expect(start?.detail["changed"]).toEqual(["aws_access_key_id", "aws_secret_access_key", "gps"]);
  expect(start?.detail["settings"]).toMatchObject({ gps: "drop", aws_secret_access_key: "****" });
  expect(JSON.stringify(entries("server_started"))).not.toContain(secret);
  expect(entries("server_stopped")).toHaveLength(1);
});

test("the catalog, which may be published, holds nobody's name or address", async () => {
  await put("a.txt");
  await world.server.stop();
  let catalog = await Bun.file(join(world.server.dataDir, "uploads.db")).bytes();
  let text = Buffer.from(catalog).toString("latin1");
  for (let word of ["127.0.0.1", "r-a.txt", "audit", "actor"]) expect(text).not.toContain(word);
});
