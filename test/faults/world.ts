import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { startMiniflare } from "../support/s3-servers/miniflare.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";
import {
  censusOf,
  eventually,
  makeDataDir,
  removeDataDir,
  startServer,
  type TestServer,
} from "../support/server.ts";

/** After so much silence of the bucket a call counts as lost: more than a busy machine takes, and a minute in earnest. */
export const timeoutSeconds = 2;

/** The server on a real S3 server, with a proxy between that can do harm. */
export interface FaultWorld {
  readonly server: TestServer;
  s3: S3Server;
  proxy: FaultProxy;
  /** Rows, intents, and what is in the bucket, past the proxy. */
  census(): Promise<{ rows: number; intents: number; objects: number; unfinished: number; spooled: number }>;
  /** Waits until nothing is open and these many rows are there, each with its object, and nothing else. */
  settled(rows: number): Promise<void>;
  put(name: string, bytes: Uint8Array): Promise<Response>;
  delete(id: number): Promise<Response>;
  /** kill -9 and a new start, which recovers what is open. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** versitygw where it is installed: it checks checksums and lists unfinished uploads. */
export async function createFaultWorld(): Promise<FaultWorld> {
  let s3 = await (versitygwMissing() === null ? startVersitygw() : startMiniflare());
  let proxy = await startFaultProxy(s3);
  let dataDir = makeDataDir();
  let { accessKeyId, secretAccessKey } = s3.credentials;
  let environment = {
    S3_BUCKET: s3.bucket,
    S3_REGION: s3.region,
    S3_ENDPOINT_URL: proxy.endpointUrl,
    S3_TIMEOUT_S: String(timeoutSeconds),
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  let server = await startServer(dataDir, environment);
  let client = new Bun.S3Client({
    accessKeyId,
    secretAccessKey,
    region: s3.region,
    bucket: s3.bucket,
    endpoint: s3.endpointUrl,
  });

  async function census() {
    let { rows, intents, spooled } = censusOf(dataDir);
    let objects = (await client.list()).contents ?? [];
    let unfinished = await s3.unfinishedUploads();
    return {
      rows,
      intents,
      objects: objects.length,
      unfinished: unfinished.length,
      spooled: spooled.length,
    };
  }

  return {
    get server() {
      return server;
    },
    s3,
    proxy,
    census,
    async settled(rows) {
      let expected = JSON.stringify({ rows, intents: 0, objects: rows, unfinished: 0, spooled: 0 });
      await eventually(census, (seen) => JSON.stringify(seen) === expected, 60_000);
    },
    put: (name, bytes) =>
      fetch(`${server.base}/upload/${name}`, { method: "PUT", body: bytes as Uint8Array<ArrayBuffer> }),
    delete: (id) => fetch(`${server.base}/files/${id}`, { method: "DELETE" }),
    async restart() {
      await server.kill();
      server = await startServer(dataDir, environment);
    },
    async close() {
      await server.kill();
      await proxy.stop();
      await s3.stop();
      removeDataDir(dataDir);
    },
  };
}
