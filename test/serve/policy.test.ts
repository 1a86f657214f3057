import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";

import { GetBucketVersioningCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";

import { MIB } from "../../src/units.ts";
import { bytesOf, sha256Of } from "../store/bodies.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { refusedStart, run } from "../support/refused-start.ts";
import {
  addRestrictedUser,
  type Allowed,
  enableVersions,
  rootOf,
  setPolicy,
} from "../support/s3-servers/restricted-user.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";
import { censusOf, eventually, makeDataDir, removeDataDir, startServer } from "../support/server.ts";

let skip = skipUnlessCi(versitygwMissing());
setDefaultTimeout(60_000);
/** Several parts. */
const large = bytesOf(12 * MIB);
const everything = {
  bucket: ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
  objects: ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
};

let undo = new AsyncDisposableStack();
afterEach(async () => {
  let doing = undo;
  undo = new AsyncDisposableStack();
  await doing.disposeAsync();
});

/** A bucket of versitygw, and a data folder with what a server needs to use it as a user who may do this. */
async function restricted(allowed: Allowed, versions = false) {
  let gateway = await startVersitygw({ users: true, versions });
  undo.defer(() => gateway.stop());
  let { accessKeyId, secretAccessKey } = await addRestrictedUser(gateway, allowed);
  let dataDir = makeDataDir();
  undo.defer(() => removeDataDir(dataDir));
  let env = {
    S3_BUCKET: gateway.bucket,
    S3_ENDPOINT_URL: gateway.endpointUrl,
    S3_REGION: gateway.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    // An intent stays open for as long, and the tests wait for its end.
    S3_TIMEOUT_S: "3",
  };
  return { gateway, dataDir, env };
}

async function start({ dataDir, env }: { dataDir: string; env: Record<string, string> }) {
  let server = await startServer(dataDir, env);
  undo.defer(() => server.kill());
  return server;
}

async function put(base: string, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  let answer = await fetch(`${base}/upload/a.bin`, { method: "PUT", body: bytes });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { file_id: number }).file_id;
}

async function expectDownload(base: string, id: number, bytes: Uint8Array): Promise<void> {
  let answer = await fetch(`${base}/files/${id}/download`);
  expect(sha256Of(await answer.bytes())).toBe(sha256Of(bytes));
}

async function keysIn(gateway: S3Server): Promise<string[]> {
  let { Versions = [] } = await rootOf(gateway).send(
    new ListObjectVersionsCommand({ Bucket: gateway.bucket }),
  );
  return Versions.filter(({ IsLatest }) => IsLatest).map(({ Key }) => Key!);
}

function remove(base: string, id: number): Promise<Response> {
  return fetch(`${base}/files/${id}`, { method: "DELETE" });
}

describe.skipIf(skip)("a bucket whose policy", () => {
  test("forbids listing: the server starts, says once what does not work, and everything else works", async () => {
    let world = await restricted({ objects: everything.objects });
    let server = await start(world);
    let sentence = "The credentials may not list the bucket";
    expect(server.banner().split(sentence)).toHaveLength(2);
    expect(server.banner()).toContain("Warning  The credentials may not list the bucket");
    expect((await fetch(`${server.base}/readyz`)).status).toBe(200);
    let ids = [await put(server.base, bytesOf(1000)), await put(server.base, large)];
    await expectDownload(server.base, ids[0]!, bytesOf(1000));
    await expectDownload(server.base, ids[1]!, large);
    for (let id of ids) expect((await remove(server.base, id)).status).toBe(200);
    expect(server.stderr().split(sentence)).toHaveLength(2);
    expect(await server.stop()).toBe(0);

    let { exitCode, stdout } = await run(["check", "--data-dir", world.dataDir], world.env);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("warn  list            The credentials may not list the bucket");
    expect(stdout).toContain("warn  clean up        The credentials may not list the unfinished uploads");
    expect(stdout).toContain("ok    delete");
  });

  test("forbids deleting: 502, the row stays and its file can be had", async () => {
    let objects = everything.objects.filter((action) => action !== "s3:DeleteObject");
    let world = await restricted({ ...everything, objects });
    let server = await start(world);
    let id = await put(server.base, bytesOf(1000));
    for (let nth = 0; nth < 3; nth++) {
      let answer = await remove(server.base, id);
      let { error } = (await answer.json()) as { error: { code: string; message: string } };
      expect([answer.status, error.code]).toEqual([502, "storage_error"]);
    }
    await expectDownload(server.base, id, bytesOf(1000));
    expect(server.stderr().split("Allow s3:DeleteObject in its policy.")).toHaveLength(2);
    await setPolicy(world.gateway, everything);
    expect((await remove(server.base, id)).status).toBe(200);
    expect(censusOf(world.dataDir).rows).toBe(0);
  });

  test("forbids aborting: an upload that breaks off is said to leave parts, with the rule to add", async () => {
    let objects = everything.objects.filter((action) => action !== "s3:AbortMultipartUpload");
    let world = await restricted({ ...everything, objects });
    let server = await start(world);
    let breakOff = new AbortController();
    let body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(large),
    });
    let sending = fetch(`${server.base}/upload/a.bin`, { method: "PUT", body, signal: breakOff.signal });
    sending.catch(() => {});
    await eventually(
      () => censusOf(world.dataDir),
      ({ multipart }) => multipart === 1,
    );
    breakOff.abort();
    let log = await eventually(
      () => server.stderr(),
      (text) => text.includes("an intent stays open"),
    );
    expect(log.split("lifecycle rule with AbortIncompleteMultipartUpload")).toHaveLength(2);
    await put(server.base, large);
    expect(censusOf(world.dataDir).rows).toBe(1);
  });

  test("forbids putting as well as listing: the start is refused", async () => {
    let { dataDir, env } = await restricted({ objects: ["s3:GetObject"] });
    let { exitCode, stderr, stdout } = await refusedStart(dataDir, env);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("The credentials may not put in the bucket");
  });

  test("would allow it: a wrong secret, an unknown key and a missing bucket refuse the start", async () => {
    let { dataDir, env } = await restricted({ objects: everything.objects });
    let wrongs: [Record<string, string>, string][] = [
      [{ AWS_SECRET_ACCESS_KEY: "wrong" }, "check aws_secret_access_key"],
      [{ AWS_ACCESS_KEY_ID: "NOBODY" }, "check aws_access_key_id"],
      [{ S3_BUCKET: "no-such-bucket" }, "create it or change s3_bucket"],
    ];
    for (let [wrong, advice] of wrongs) {
      let { exitCode, stderr } = await refusedStart(dataDir, { ...env, ...wrong });
      expect(exitCode).toBe(1);
      expect(stderr).toContain(advice);
    }
  }, 60_000);
});

test.skipIf(skip)(
  "a versioned bucket: uploads, downloads, deletions and recovery work as in any other",
  async () => {
    let world = await restricted(everything, true);
    let { gateway, dataDir, env } = world;
    await enableVersions(gateway);
    let versioning = await rootOf(gateway).send(new GetBucketVersioningCommand({ Bucket: gateway.bucket }));
    expect(versioning.Status).toBe("Enabled");
    let server = await start(world);
    let ids = [await put(server.base, bytesOf(1000)), await put(server.base, large)];
    await expectDownload(server.base, ids[1]!, large);
    expect((await remove(server.base, ids[0]!)).status).toBe(200);
    expect(await keysIn(gateway)).toHaveLength(1);

    // An upload that the server is killed in.
    let breakOff = new AbortController();
    let body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(large) });
    let sending = fetch(`${server.base}/upload/b.bin`, { method: "PUT", body, signal: breakOff.signal });
    sending.catch(() => {});
    await eventually(
      () => censusOf(dataDir),
      ({ multipart }) => multipart === 1,
    );
    await server.kill();
    breakOff.abort();
    server = await start({ dataDir, env });
    await eventually(
      () => censusOf(dataDir),
      ({ intents }) => intents === 0,
    );
    expect(await gateway.unfinishedUploads()).toEqual([]);
    expect(await keysIn(gateway)).toHaveLength(1);
    expect((await remove(server.base, ids[1]!)).status).toBe(200);
    expect((await fetch(`${server.base}/files/${ids[1]}/download`)).status).toBe(404);

    // What deletions leave: the bytes, under markers that hide them.
    let all = await rootOf(gateway).send(new ListObjectVersionsCommand({ Bucket: gateway.bucket }));
    expect(all.Versions?.filter(({ IsLatest }) => IsLatest) ?? []).toEqual([]);
    expect(all.Versions).toHaveLength(2);
    expect(all.DeleteMarkers?.length).toBeGreaterThanOrEqual(2);
  },
);
