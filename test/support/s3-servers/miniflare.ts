import { Database } from "bun:sqlite";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { Miniflare } from "miniflare";

import { testBucket, testCredentials } from "./s3-server.ts";
import type { S3Server } from "./s3-server.ts";

/** The S3 interface of Miniflare's R2; its own SigV4 check is real. */
const s3Path = "/cdn-cgi/local/r2/s3";
/** As in Miniflare's bucket.worker: 0 in progress, 1 completed, 2 aborted. */
const inProgress = 0;

/**
 * Starts Cloudflare's R2 simulator: needs npm alone. It verifies signatures, wants equal parts but the last, and has
 * neither ListMultipartUploads nor ListParts; it ignores `x-amz-checksum-*`.
 */
export async function startMiniflare(): Promise<S3Server> {
  let folder = await mkdtemp(join(tmpdir(), "s3-miniflare-"));
  let miniflare = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response(null, { status: 404 }) }",
    host: "127.0.0.1",
    port: 0,
    r2Persist: folder,
    r2Buckets: { BUCKET: { id: testBucket, s3Credentials: testCredentials } },
    // workerd warns on stderr for each multipart upload
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => void (stdout.resume(), stderr.resume()),
  });
  let url = await miniflare.ready;

  return {
    name: "miniflare",
    endpointUrl: url.origin + s3Path,
    region: "auto",
    bucket: testBucket,
    credentials: testCredentials,
    canListUnfinished: false,
    verifiesChecksums: false,
    honoursResponseHeaders: false,
    async unfinishedUploads() {
      let files = await readdir(folder, { recursive: true });
      return files
        .filter((file) => file.endsWith(".sqlite"))
        .flatMap((file) => unfinishedIn(join(folder, file)));
    },
    async stop() {
      await miniflare.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function unfinishedIn(databaseFile: string): { key: string; uploadId: string }[] {
  let db = new Database(databaseFile, { readonly: true });
  try {
    let known = db.query("SELECT 1 FROM sqlite_schema WHERE name = '_mf_multipart_uploads'").get();
    if (!known) return [];
    return db
      .query<{ key: string; uploadId: string }, [number]>(
        "SELECT key, upload_id AS uploadId FROM _mf_multipart_uploads WHERE state = ?",
      )
      .all(inProgress);
  } finally {
    db.close();
  }
}
