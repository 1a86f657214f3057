import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

import { skipUnlessCi } from "../support/needs.ts";
import { type Leashed, spawnLeashed } from "../support/s3-servers/leashed.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";
import { eventually, makeDataDir, removeDataDir, startServer, type TestServer } from "../support/server.ts";

const searchPath = [process.env["PATH"], join(homedir(), "go", "bin")].join(delimiter);
const litestream = Bun.which("litestream", { PATH: searchPath });
const missing = litestream
  ? versitygwMissing()
  : "litestream is not installed: go install github.com/benbjohnson/litestream/cmd/litestream@v0.5.18";
const configFile = join(import.meta.dir, "..", "..", "docs", "litestream.yml");
const files = 40;

describe.skipIf(skipUnlessCi(missing))("Litestream with the configuration of the documentation", () => {
  let bucket: S3Server;
  let server: TestServer;
  let replication: Leashed;
  let env: Record<string, string>;

  beforeAll(async () => {
    bucket = await startVersitygw();
    server = await startServer(makeDataDir());
    env = {
      S3_UPLOADS_DATA_DIR: server.dataDir,
      BACKUP_BUCKET: bucket.bucket,
      BACKUP_REGION: bucket.region,
      BACKUP_ENDPOINT_URL: bucket.endpointUrl,
      AWS_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
    };
    replication = spawnLeashed([litestream ?? "", "replicate", "-config", configFile], makeDataDir(), env);
  });

  afterAll(async () => {
    await replication.stop();
    await server.kill();
    await bucket.stop();
    removeDataDir(server.dataDir);
  });

  async function restored(): Promise<{ uids: string[]; integrity: string } | null> {
    let copy = join(server.dataDir, `restored-${Bun.randomUUIDv7()}.db`);
    let catalog = join(server.dataDir, "uploads.db");
    let restore = Bun.spawn([litestream ?? "", "restore", "-config", configFile, "-o", copy, catalog], {
      env: { PATH: searchPath, ...env },
      stdout: "ignore",
      stderr: "ignore",
    });
    if ((await restore.exited) !== 0) return null;
    using db = new Database(copy, { readonly: true });
    let uids = db.query<{ uid: string }, []>("SELECT uid FROM s3_uploads ORDER BY id").all();
    let [checked] = db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
    return { uids: uids.map(({ uid }) => uid), integrity: checked?.integrity_check ?? "" };
  }

  test("a catalog that is copied while files come in can be restored, every row in it", async () => {
    let sent: string[] = [];
    for (let n = 0; n < files; n++) {
      let answer = await fetch(`${server.base}/upload/note-${n}.txt`, { method: "PUT", body: `note ${n}` });
      sent.push(((await answer.json()) as { file: { uid: string } }).file.uid);
    }
    let copy = await eventually(restored, (seen) => seen?.uids.length === files);
    expect(copy).toEqual({ uids: sent, integrity: "ok" });
  }, 60_000);
});
