import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { bytesOf } from "../store/bodies.ts";
import { eventually } from "../support/server.ts";
import { createWorld, type World } from "./world.ts";

const checkout = join(import.meta.dir, "..", "..");
const slowMs = 120_000;
const looks = 3;
let world: World;
afterEach(() => world.close());

/** The command as somebody runs it beside the server, with the server's own settings. */
async function reconcile({ server, fake }: World, ...options: string[]) {
  let bucket = fake && {
    S3_BUCKET: fake.bucket,
    S3_ENDPOINT_URL: fake.endpointUrl,
    S3_REGION: fake.region,
    AWS_ACCESS_KEY_ID: fake.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: fake.credentials.secretAccessKey,
  };
  let child = Bun.spawn(
    [process.execPath, "src/main.ts", "reconcile", "--data-dir", server.dataDir, ...options],
    { cwd: checkout, env: { PATH: process.env["PATH"] ?? "", ...bucket }, stdout: "pipe", stderr: "pipe" },
  );
  let [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { stdout, stderr, exitCode: await child.exited };
}

/** Uploads, small and in parts, most of them the same few files over and over, and deletions, until told to stop. */
async function load({ server }: World, until: () => boolean): Promise<number> {
  let done = 0;
  async function sender(n: number): Promise<void> {
    while (!until()) {
      let body = bytesOf(n === 0 ? 9_000_000 + done : 3_000 + (done % 4));
      let sent = await fetch(`${server.base}/upload/f-${n}-${done++}.bin`, { method: "PUT", body });
      let { file_id: id } = (await sent.json()) as { file_id: number };
      // All large ones go again: what is there is read each time.
      if (n === 0 || done % 3 === 0) await fetch(`${server.base}/files/${id}`, { method: "DELETE" });
    }
  }
  await Promise.all([0, 1, 2, 3].map(sender));
  return done;
}

for (let on of ["local", "s3"] as const) {
  describe(`reconcile beside a server on ${on === "local" ? "local storage" : "S3"}`, () => {
    test(
      "finds nothing wrong while files come and go, however young they are",
      async () => {
        world = await createWorld(on, { S3_UPLOADS_DUPLICATES: "link" });
        let ended = false;
        let loading = load(world, () => ended);
        await eventually(
          () => world.census().rows,
          (rows) => rows > 3,
        );
        for (let look = 0; look < looks; look++) {
          let { stdout, exitCode } = await reconcile(world, "--min-age", "0", "--deep", "--json");
          let lines = stdout.trim().split("\n");
          expect(lines.slice(0, -1)).toEqual([]);
          expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ kind: "summary", exit_status: 0 });
          expect(exitCode).toBe(0);
        }
        ended = true;
        expect(await loading).toBeGreaterThan(10);
      },
      slowMs,
    );

    test(
      "repairs nothing, and says who holds the data folder",
      async () => {
        world = await createWorld(on);
        let { stdout, stderr, exitCode } = await reconcile(world, "--repair");
        expect([stdout, exitCode]).toEqual(["", 3]);
        expect(stderr).toContain(
          "in use by a running s3-uploads server: stop it first, and start it again after the repair.",
        );
      },
      slowMs,
    );
  });
}
