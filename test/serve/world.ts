import { basename, dirname } from "node:path";

import type { S3Fake } from "../support/s3-fake.ts";
import { startS3Fake } from "../support/s3-fake.ts";
import { censusOf, eventually, makeDataDir, removeDataDir, startServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

/** A server in a folder of its own, on local storage or on a bucket, and what is in both. */
export interface World {
  readonly server: TestServer;
  readonly fake: S3Fake | null;
  /** Marks of rows that share objects; the census does not count them. */
  marks(): number;
  /** Objects and anything unfinished, whichever storage it is. */
  census(): { rows: number; intents: number; objects: number; unfinished: number; spooled: number };
  /** Waits until one upload is under way and, on a bucket, its parts are known to the journal. */
  underWay(): Promise<void>;
  /** Waits until no upload is under way any more and these many rows and objects are there. */
  settled(rows: number, objects?: number): Promise<void>;
  /** Starts the server anew in the same folder; the old one has ended. `under` is as for startServer. */
  restart(env?: Record<string, string>, under?: string[]): Promise<void>;
  close(): Promise<void>;
}

export async function createWorld(
  on: "local" | "s3",
  env: Record<string, string> = {},
  dataDir = makeDataDir(),
): Promise<World> {
  let fake = on === "s3" ? await startS3Fake() : null;
  let bucket: Record<string, string> = fake
    ? {
        S3_BUCKET: fake.bucket,
        S3_ENDPOINT_URL: fake.endpointUrl,
        S3_REGION: fake.region,
        AWS_ACCESS_KEY_ID: fake.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: fake.credentials.secretAccessKey,
        // An intent stays open for as long, and the tests wait for its end; a busy machine must not take longer.
        S3_TIMEOUT_S: "3",
      }
    : {};
  let server = await startServer(dataDir, { ...bucket, ...env });

  function marks(): number {
    let names = fake ? [...fake.objects.keys()] : censusOf(dataDir).files;
    return names.filter((name) => /\/marks\/[0-9a-f-]{36}\.(link|gone)$/.test(name)).length;
  }

  function census() {
    let { rows, intents, files, spooled } = censusOf(dataDir);
    // A file of local storage has its facts in a hidden one beside it; whatever else is there is a leftover.
    let objects = files.filter((path) => /\/uploads\/\d{4}\/\d\d\/[0-9a-f-]{36}\.[a-z0-9]+$/.test(path));
    let known = new Set(objects.flatMap((path) => [path, `${dirname(path)}/.${basename(path)}.meta`]));
    let leftovers = files.filter((path) => !known.has(path) && !path.includes("/marks/"));
    return {
      rows,
      intents,
      objects: fake ? fake.objects.size - marks() : objects.length,
      unfinished: fake ? fake.unfinished.size : leftovers.length,
      spooled: spooled.length,
    };
  }

  return {
    get server() {
      return server;
    },
    fake,
    marks,
    census,
    async underWay() {
      await eventually(
        () => ({ ...census(), multipart: censusOf(dataDir).multipart }),
        ({ intents, unfinished, multipart }) =>
          intents === 1 && unfinished === 1 && (fake === null || multipart === 1),
      );
    },
    async settled(rows, objects = rows) {
      let expected = JSON.stringify({ rows, intents: 0, objects, unfinished: 0, spooled: 0 });
      await eventually(census, (seen) => JSON.stringify(seen) === expected, 60_000);
    },
    async restart(other = {}, under = []) {
      server = await startServer(dataDir, { ...bucket, ...env, ...other }, under);
    },
    async close() {
      await server.kill();
      await fake?.stop();
      removeDataDir(dataDir);
    },
  };
}
