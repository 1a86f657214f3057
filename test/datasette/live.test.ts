import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, rmSync } from "node:fs";
import { join } from "node:path";

import { datasetteLines } from "../support/datasette-environments.ts";
import { noDatasette, startDatasette } from "../support/datasette.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { eventually, makeDataDir, startServer } from "../support/server.ts";
import { optionsOf, rowsOf } from "./answers.ts";

// Other programs start here, on a machine that may be busy.
setDefaultTimeout(60_000);

const limitMs = 120_000;
const uploadsEach = 60;
const senders = 4;
/** nobody and nogroup, on every system. */
const otherUser = 65_534;

let dataDirs: string[] = [];
afterAll(() => dataDirs.forEach((dataDir) => rmSync(dataDir, { recursive: true, force: true })));

function newDataDir(): string {
  let dataDir = makeDataDir();
  dataDirs.push(dataDir);
  return dataDir;
}

async function upload(base: string, name: string): Promise<number> {
  let response = await fetch(`${base}/upload/${name}`, { method: "PUT", body: name });
  await response.arrayBuffer();
  return response.status;
}

describe.skipIf(noDatasette).each(datasetteLines)("beside Datasette, %s", (line) => {
  test(
    "a server writes while it reads, and neither finds the catalog locked",
    async () => {
      let dataDir = newDataDir();
      let server = await startServer(dataDir);
      try {
        await upload(server.base, "first.txt");
        await using datasette = await startDatasette(line, optionsOf(line, dataDir));
        let writing = new AbortController();
        let counts: number[] = [];
        let reading = (async () => {
          while (!writing.signal.aborted) {
            await datasette.page("/uploads/s3_uploads");
            let answer = await rowsOf(datasette, "/uploads/s3_uploads.json?_search=txt&_size=max");
            counts.push(answer.length);
          }
        })();
        await eventually(
          () => counts.length,
          (count) => count > 0,
        );
        let statuses = await Promise.all(
          Array.from({ length: senders }, async (_, sender) => {
            let seen = new Set<number>();
            for (let n = 0; n < uploadsEach; n++) seen.add(await upload(server.base, `${sender}-${n}.txt`));
            return [...seen];
          }),
        );
        writing.abort();
        await reading;
        expect(new Set(statuses.flat())).toEqual(new Set([201]));
        // It saw them come, and none go.
        expect(counts).toEqual(counts.toSorted((a, b) => a - b));
        expect(counts.length).toBeGreaterThan(1);
        let all = await rowsOf(datasette, "/uploads/s3_uploads.json?_size=max");
        expect(all).toHaveLength(1 + senders * uploadsEach);
        expect(`${datasette.log()}${server.stderr()}`).not.toMatch(/lock|busy/i);
      } finally {
        await server.stop();
      }
    },
    limitMs,
  );

  test(
    "it goes on reading over a restart of the server and after kill -9",
    async () => {
      let dataDir = newDataDir();
      let server = await startServer(dataDir);
      await upload(server.base, "one.txt");
      await using datasette = await startDatasette(line, optionsOf(line, dataDir));
      let names = async () =>
        (await rowsOf(datasette, "/uploads/s3_uploads.json")).map(({ filename }) => filename);
      expect(await names()).toEqual(["one.txt"]);
      await server.stop();
      expect(await names()).toEqual(["one.txt"]);
      server = await startServer(dataDir);
      await upload(server.base, "two.txt");
      await server.kill();
      expect(await names()).toEqual(["two.txt", "one.txt"]);
    },
    limitMs,
  );
});

const noOtherUser = skipUnlessCi(
  process.getuid?.() !== 0
    ? "reading as another user can only be tried by root"
    : Bun.which("setpriv") && Bun.which("sqlite3")
      ? null
      : "setpriv and sqlite3 are needed to read as another user (apt-get install util-linux sqlite3)",
);

/** As Datasette opens it. */
function readAsOther(dataDir: string) {
  let { stdout, stderr } = Bun.spawnSync([
    "setpriv",
    `--reuid=${otherUser}`,
    `--regid=${otherUser}`,
    "--clear-groups",
    "sqlite3",
    `file:${join(dataDir, "uploads.db")}?mode=ro`,
    "SELECT filename FROM s3_uploads ORDER BY id",
  ]);
  return { names: stdout.toString().split("\n").filter(Boolean), fault: stderr.toString() };
}

describe.skipIf(noOtherUser)("another user", () => {
  test(
    "reads what the server writes once README's permissions are given, also after a stop and a restart",
    async () => {
      let dataDir = newDataDir();
      let server = await startServer(dataDir);
      await upload(server.base, "one.txt");
      expect(readAsOther(dataDir).fault).not.toBe("");

      // chgrp, chmod 750, chmod 640 and 660 of README.
      chownSync(dataDir, 0, otherUser);
      chmodSync(dataDir, 0o750);
      for (let [suffix, mode] of [
        ["", 0o640],
        ["-wal", 0o640],
        ["-shm", 0o660],
      ] as const) {
        chownSync(join(dataDir, `uploads.db${suffix}`), 0, otherUser);
        chmodSync(join(dataDir, `uploads.db${suffix}`), mode);
      }
      expect(readAsOther(dataDir)).toEqual({ names: ["one.txt"], fault: "" });
      await upload(server.base, "two.txt");
      expect(readAsOther(dataDir)).toEqual({ names: ["one.txt", "two.txt"], fault: "" });
      await server.stop();
      expect(readAsOther(dataDir)).toEqual({ names: ["one.txt", "two.txt"], fault: "" });
      server = await startServer(dataDir);
      await upload(server.base, "three.txt");
      await server.kill();
      expect(readAsOther(dataDir)).toEqual({ names: ["one.txt", "two.txt", "three.txt"], fault: "" });
    },
    limitMs,
  );
});
