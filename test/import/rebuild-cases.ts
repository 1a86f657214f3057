import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { KIB, MIB } from "../../src/units.ts";
import { bytesOf } from "../store/bodies.ts";
import { corpusFiles, corpusMissing } from "../support/corpus.ts";
import { skipUnlessCi } from "../support/needs.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { createImportWorld, type ImportWorld, remove, rowsOf, upload } from "./world.ts";

const slowMs = 60_000;
const maxCorpusBytes = 3 * MIB;
const text = (words: string) => new TextEncoder().encode(words);
/** Behind the head, behind a part, and at the edges of what an upload knows before it is stored. */
const sizes = [1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 300 * KIB, 8 * MIB, 8 * MIB + 1, 20 * MIB];
const names = [
  "Grüße 🎉.txt",
  "日本語.csv",
  "100% a+b.json",
  "\"q\" 's' <b>.md",
  "=1+1.csv",
  "no extension",
  `${"x".repeat(300)}.txt`,
];

/** That a catalog which was lost comes back from one kind of storage as it was. */
export function rebuildCases(name: string, startServer: (() => Promise<S3Server>) | null): void {
  let noCorpus = skipUnlessCi(corpusMissing);

  describe(`a catalog that was lost, on ${name}`, () => {
    let server: S3Server | null = null;
    let world: ImportWorld;
    beforeAll(async () => {
      server = startServer && (await startServer());
      world = createImportWorld(server, { S3_UPLOADS_DUPLICATES: "link" });
    }, slowMs);
    afterAll(async () => {
      await world.close();
      await server?.stop();
    });

    test(
      "comes back in every column, with rows that share objects and without what was deleted",
      async () => {
        let app = await world.start();
        for (let [at, size] of sizes.entries()) {
          let bytes = bytesOf(size);
          bytes[0] = at;
          await upload(app, `${size}.bin`, bytes);
        }
        for (let one of names) await upload(app, one, text(`${one},2\n3,4\n`), "text/csv");
        await upload(app, "empty.txt", text(""), "text/plain");
        await upload(
          app,
          "not a picture.jpg",
          text("<svg xmlns='http://www.w3.org/2000/svg'/>"),
          "image/png",
        );
        for (let [file, content] of noCorpus ? [] : corpusFiles(maxCorpusBytes))
          await upload(app, file, content);
        // shared: all three rows there; the first, the second and both others deleted
        for (let deleted of [[], [0], [1], [0, 2]]) {
          for (let bytes of [
            text(`shared ${deleted.join()}`),
            bytesOf(9 * MIB + deleted.length + (deleted[0] ?? 2)),
          ]) {
            let ids = [];
            for (let one of ["one.txt", "two.csv", "three"])
              ids.push(await upload(app, one, bytes, "text/x-three"));
            for (let at of deleted) await remove(app, ids[at]!);
          }
        }
        await remove(app, await upload(app, "gone.txt", text("gone for good")));
        await app.stop();

        let before = world.rows();
        expect(before.length).toBeGreaterThan(30);
        world.loseCatalog();
        let { exitCode, summary } = await world.import();
        expect(summary.problems).toEqual([]);
        expect(exitCode).toBe(0);
        expect(world.rows()).toEqual(before);
        expect(summary.adopted.own + summary.adopted.linked).toBe(before.length);
        expect(summary.adopted.linked).toBeGreaterThan(5);
        expect(rowsOf(`${world.dataDir}/lost.db`)).toEqual(before);
      },
      slowMs,
    );

    test(
      "gains nothing from a second import",
      async () => {
        let before = world.rows();
        let { exitCode, summary } = await world.import();
        expect([exitCode, summary.adopted]).toEqual([0, { own: 0, foreign: 0, linked: 0 }]);
        expect(summary.recorded_already).toBe(new Set(before.map(({ s3_key }) => s3_key)).size);
        expect(world.rows()).toEqual(before);
      },
      slowMs,
    );

    test(
      "comes back so that its files can be downloaded and deleted, and nothing is left then",
      async () => {
        let app = await world.start();
        for (let { uid, checksum_sha256 } of world.rows()) {
          let answer = await fetch(`${app.base}/files/${uid}/download`);
          let digest = new Bun.CryptoHasher("sha256").update(await answer.bytes()).digest("hex");
          expect([uid, digest]).toEqual([uid, checksum_sha256]);
        }
        for (let { uid } of world.rows()) await remove(app, uid as string);
        expect((await Array.fromAsync(world.storage.list(""))).map(({ key }) => key)).toEqual([]);
      },
      slowMs,
    );
  });
}
