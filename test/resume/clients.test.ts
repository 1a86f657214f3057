import { afterAll, beforeAll, describe, test } from "bun:test";
import { createReadStream } from "node:fs";
import { join } from "node:path";

import { Upload } from "tus-js-client";

import { MIB } from "../../src/units.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { type LargeFile, makeLargeFile, throughTrouble, troubleMs } from "./trouble.ts";

let file: LargeFile;
beforeAll(() => {
  file = makeLargeFile();
});
afterAll(() => file.remove());

describe("an official client, cut off again and again, while the server dies", () => {
  test(
    "tus-js-client brings 200 MB into the bucket",
    () =>
      throughTrouble(
        file,
        (base) =>
          new Promise((resolve, reject) => {
            let upload = new Upload(createReadStream(file.path), {
              endpoint: `${base}/tus`,
              chunkSize: 24 * MIB,
              // For as long as a server takes to come back, on any machine.
              retryDelays: Array.from({ length: 2000 }, () => 50),
              metadata: { filename: "large.bin" },
              onSuccess: () => resolve(),
              onError: reject,
            });
            upload.start();
          }),
      ),
    troubleMs,
  );

  let python = process.env["TUSPY_PYTHON"] ?? "python3";
  let found = Bun.spawnSync([python, "-c", "import tusclient"], { stderr: "ignore" }).success;
  let noTuspy = skipUnlessCi(found ? null : "tuspy is not installed: pip install tuspy==1.1.0");
  test.skipIf(noTuspy)(
    "tuspy brings 200 MB into the bucket",
    () =>
      throughTrouble(file, async (base) => {
        let script = join(import.meta.dir, "tuspy.py");
        let client = Bun.spawn([python, script, `${base}/tus`, file.path, "large.bin"], {
          stdout: "pipe",
          stderr: "pipe",
        });
        let errors = new Response(client.stderr).text();
        if ((await client.exited) !== 0) throw new Error(await errors);
      }),
    troubleMs,
  );
});
