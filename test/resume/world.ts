import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { AppError } from "../../src/errors.ts";
import { randomIds } from "../../src/ids.ts";
import { silentLog } from "../../src/log.ts";
import { openServer } from "../../src/open-server.ts";
import { configOf } from "../config/load-helpers.ts";
import { startS3Fake } from "../support/s3-fake.ts";

export const testBase = "/-/s3-uploads";
export const pieceType = "application/offset+octet-stream";

/** The real server without a port, on a folder of its own; its clock is moved by hand. */
export async function openWorld(on: "local" | "s3", env: Record<string, string> = {}) {
  let dataDir = mkdtempSync(join(tmpdir(), "s3-uploads-resume-"));
  let fake = on === "s3" ? await startS3Fake() : null;
  let now = Date.parse("2026-11-23T12:00:00Z");
  let bucket: Record<string, string> = fake
    ? {
        S3_BUCKET: fake.bucket,
        S3_ENDPOINT_URL: fake.endpointUrl,
        S3_REGION: fake.region,
        // Shorter than usual, because an intent stays open for as long, and longer than a busy machine may take.
        S3_TIMEOUT_S: "5",
        AWS_ACCESS_KEY_ID: fake.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: fake.credentials.secretAccessKey,
      }
    : {};

  async function open() {
    let config = configOf({ flags: { data_dir: dataDir }, env: { ...bucket, ...env } });
    let opened = openServer(config, {
      log: silentLog,
      clock: { nowMs: () => now },
      ids: randomIds,
      program: [],
      version: "test",
      onSyncFailure: () => {},
    });
    await opened.prepare();
    await opened.readiness.start();
    opened.resumable.start();
    return opened;
  }
  let opened = await open();

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    let headers = new Headers(init.headers);
    if (!headers.has("Host")) headers.set("Host", "127.0.0.1:8080");
    // Bytes that were received are taken back: the test keeps its own.
    let body = init.body instanceof Uint8Array ? new Uint8Array(init.body) : init.body;
    return opened.app.request(path, { ...init, headers, ...(body ? { body } : {}) });
  }

  return {
    fake,
    dataDir,
    ask,
    get budget() {
      return opened.storages.budget;
    },
    get current() {
      return opened.storages.current;
    },
    endUploads: (reason: AppError) => opened.endUploads(reason),
    passTime(ms: number) {
      now += ms;
      opened.resumable.start();
    },
    /** As after a crash: nothing that was in memory is there any more. */
    async restart() {
      opened.close();
      opened = await open();
    },
    async close() {
      opened.close();
      await fake?.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export type ResumeWorld = Awaited<ReturnType<typeof openWorld>>;

/** Requests of tus, one each. */
export function tusOf(ask: ResumeWorld["ask"], base = `${testBase}/tus`) {
  let version = { "Tus-Resumable": "1.0.0" };
  let send = (method: string, path: string, headers: Record<string, string>, body?: RequestInit["body"]) =>
    ask(path, { method, headers: { ...version, ...headers }, ...(body === undefined ? {} : { body }) });
  return {
    create: (headers: Record<string, string>, body?: RequestInit["body"]) =>
      send("POST", base, headers, body),
    /** The upload's path. */
    async begin(lengthBytes: number, name = "file.bin"): Promise<string> {
      let metadata = `filename ${Buffer.from(name).toString("base64")}`;
      let headers = { "Upload-Length": String(lengthBytes), "Upload-Metadata": metadata };
      let response = await send("POST", base, headers);
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
      return response.headers.get("Location")!;
    },
    head: (path: string, headers: Record<string, string> = {}) => send("HEAD", path, headers),
    patch: (
      path: string,
      offset: number,
      body: RequestInit["body"] = "",
      headers: Record<string, string> = {},
    ) => {
      let usual = { "Upload-Offset": String(offset), "Content-Type": pieceType };
      let length: Record<string, string> =
        body instanceof Uint8Array ? { "Content-Length": String(body.byteLength) } : {};
      return send("PATCH", path, { ...usual, ...length, ...headers }, body);
    },
    terminate: (path: string) => send("DELETE", path, {}),
  };
}

/** What a HEAD tells of the offset. */
export function offsetOf(response: Response): number {
  return Number(response.headers.get("Upload-Offset") ?? NaN);
}

/** A body that is fed by hand and can break off. */
export function handFed() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let asked = Promise.withResolvers<void>();
  let source = {
    start: (one: typeof controller) => void (controller = one),
    pull: () => asked.resolve(),
  };
  // With nothing ahead `pull` is called when somebody waits for a chunk, and not before.
  let body = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
  return {
    body,
    feed(bytes: Uint8Array): void {
      asked = Promise.withResolvers();
      controller.enqueue(new Uint8Array(bytes));
    },
    /** Resolves when all that was fed has been taken, and more is asked for. */
    taken: () => asked.promise,
    end: () => controller.close(),
    breakOff: () => controller.error(new Error("the connection was lost")),
  };
}
