import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { KIB, MIB } from "../../src/units.ts";
import { bytesOf, putRequest } from "../store/bodies.ts";
import { corpusFiles, corpusMissing } from "../support/corpus.ts";
import { skipUnlessCi } from "../support/needs.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { createImportWorld, type ImportWorld, remove, rowsOf, upload } from "./world.ts";

const slowMs = 120_000;
const text = (words: string) => new TextEncoder().encode(words);
/** Behind the head, behind a part, and at the edges of what an upload knows before it is stored. */
const sizes = [1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 300 * KIB, 8 * MIB, 8 * MIB + 1];
const names = [
  "Grüße 🎉.txt",
  "日本語.csv",
  "100% a+b.json",
  "\"q\" 's' <b>.md",
  "=1+1.csv",
  "no extension",
  `${"x".repeat(300)}.txt`,
];
const oddKeys = [
  "incoming/a/b c.txt",
  "incoming/Grüße 🎉/日本語.txt",
  "incoming/100% + 1 = 2 & more; (a) [b] {c} 'd' \"e\" <f> #g ?h=i @j !k $l *m ~n ^o `p |q :r ,s.txt",
  "incoming/%2e%2e/%2F.txt",
  "incoming/e\u0301 and \u00e9.txt",
  "incoming/=cmd.csv",
  "incoming/end. ",
  `incoming/${"long/".repeat(150)}${"n".repeat(200)}`,
  "incoming/2026/05/looks-like-ours.txt",
];
/** What a file system can't hold. */
const bucketKeys = ["incoming/...", "incoming/back\\slash.txt", "incoming/.hidden/.file.txt"];
const onePixelPng = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/**
 * That a catalog which was lost comes back from one kind of storage as it was.
 *
 * @param maxCorpusBytes larger files of the corpus are left out
 */
export function rebuildCases(
  name: string,
  startServer: (() => Promise<S3Server>) | null,
  maxCorpusBytes = MIB,
): void {
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
          let contents = [text(`shared ${deleted.join()}`)];
          if (deleted.length === 1 && deleted[0] === 0) contents.push(bytesOf(9 * MIB));
          for (let bytes of contents) {
            let ids = [];
            for (let one of ["one.txt", "two.csv", "three"]) {
              ids.push(await upload(app, one, bytes, "text/x-three"));
            }
            for (let at of deleted) await remove(app, ids[at]!);
          }
        }
        await remove(app, await upload(app, "gone.txt", text("gone for good")));
        let { token } = world.token("acme", "clients/acme");
        for (let bytes of [text("in a folder"), text("shared "), bytesOf(9 * MIB)])
          await upload(app, "mine.txt", bytes, "", { Authorization: `Bearer ${token}` });
        await app.stop();

        let before = world.rows();
        expect(before.length).toBeGreaterThan(30);
        let apart = before.filter(({ s3_key }) => String(s3_key).startsWith("uploads/folders/clients/acme/"));
        expect(new Set(apart.map(({ s3_key }) => s3_key)).size).toBe(3);
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

    test(
      "or a part of the bucket that somebody else has filled gets its rows",
      async () => {
        let odd = [...oddKeys, ...(server ? bucketKeys : [])];
        let contents = new Map(odd.map((key, at) => [key, text(`${at} ${key}\nwords`)]));
        contents.set("incoming/large.bin", bytesOf(9 * MIB + 5));
        contents.set("incoming/photo", onePixelPng);
        for (let [key, bytes] of contents) await world.storage.put(putRequest(key, bytes));
        await world.storage.put(putRequest("incoming/nothing.txt", text("")));
        await world.storage.put(putRequest("elsewhere/not wanted.txt", text("x")));

        let { exitCode, summary } = await world.import("--prefix", "incoming/");
        expect(summary.problems).toEqual([]);
        expect([exitCode, summary.adopted]).toEqual([0, { own: 0, foreign: contents.size, linked: 0 }]);
        expect(summary.skipped["empty"]).toBe(1);

        let rows = new Map(world.rows().map((row) => [row["s3_key"] as string, row]));
        expect([...rows.keys()].toSorted()).toEqual([...contents.keys()].toSorted());
        expect(rows.get("incoming/photo")).toMatchObject({ content_type: "image/png", width: 1, height: 1 });
        expect(rows.get("incoming/a/b c.txt")?.["filename"]).toBe("b c.txt");
        for (let mode of server ? ["proxy", "redirect"] : ["proxy"]) {
          let app = await world.start({ S3_UPLOADS_DOWNLOAD: mode });
          for (let [key, bytes] of contents) {
            let answer = await fetch(`${app.base}/files/${rows.get(key)?.["uid"]}/download`);
            expect([key, answer.status, await answer.bytes()]).toEqual([key, 200, bytes]);
          }
        }
        let app = await world.start();
        let thumbnail = await fetch(`${app.base}/files/${rows.get("incoming/photo")?.["uid"]}/thumbnail`);
        expect([thumbnail.status, thumbnail.headers.get("content-type")]).toEqual([200, "image/webp"]);
        let csv = await (await fetch(`${app.base}/files.csv`)).text();
        expect(csv.split("\r\n").length).toBe(contents.size + 2);

        // shared by an upload of the same bytes, then deleted itself, then lost
        let shared = rows.get("incoming/large.bin")!;
        await upload(app, "again.bin", contents.get("incoming/large.bin")!);
        await remove(app, shared["uid"] as string);
        let kept = world.rows();
        world.loseCatalog();
        expect((await world.import("--prefix", "incoming/")).summary.adopted.linked).toBe(1);
        expect(world.rows()).toEqual(kept);

        app = await world.start();
        for (let { uid } of world.rows()) await remove(app, uid as string);
        let left = (await Array.fromAsync(world.storage.list(""))).map(({ key }) => key);
        expect(left.toSorted()).toEqual(["elsewhere/not wanted.txt", "incoming/nothing.txt"]);
      },
      slowMs,
    );
  });
}
