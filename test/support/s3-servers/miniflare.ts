import { Database } from "bun:sqlite";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { spawnLeashed } from "./leashed.ts";
import { testBucket, testCredentials } from "./s3-server.ts";
import type { S3Server } from "./s3-server.ts";

/** The S3 interface of Miniflare's R2; its own SigV4 check is real. */
const s3Path = "/cdn-cgi/local/r2/s3";
/** As in Miniflare's bucket.worker: 0 in progress, 1 completed, 2 aborted. */
const inProgress = 0;

/**
 * Starts Cloudflare's R2 simulator: needs npm alone. It verifies signatures, wants equal parts but the last, and has
 * neither ListMultipartUploads nor ListParts; it ignores `x-amz-checksum-*`. A child process, since in this one its own child
 * would outlive a run that is cut short.
 */
export async function startMiniflare(): Promise<S3Server> {
  let folder = await mkdtemp(join(tmpdir(), "s3-miniflare-"));
  let script = join(import.meta.dir, "miniflare-child.ts");
  let child = spawnLeashed([process.execPath, script, folder], folder);
  let origin = await firstLine(child.stdout);

  return {
    name: "miniflare",
    endpointUrl: origin + s3Path,
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
    stop: child.stop,
  };
}

async function firstLine(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (let chunk of output) {
    text += Buffer.from(chunk).toString();
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error(`miniflare did not start: ${text}`);
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
