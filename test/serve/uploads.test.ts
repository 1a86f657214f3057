import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MIB } from "../../src/units.ts";
import { bytesOf, sha256Of } from "../store/bodies.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { eventually } from "../support/server.ts";
import { curl, startCurl } from "./curl.ts";
import { createWorld, type World } from "./world.ts";

const skipped = skipUnlessCi(Bun.which("curl") ? null : "curl, which sends the uploads of this test");
const maxFileMb = 20;
/** More than one part of a multipart upload. */
const largeBytes = 12 * MIB;

/** What was undone in a bucket is looked at once more after a second, which some tests wait for several times. */
setDefaultTimeout(60_000);
let folder = mkdtempSync(join(tmpdir(), "s3-uploads-sent-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, bytes: Uint8Array): string {
  let path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}
let small = fileOf("small.bin", bytesOf(5000));
let empty = fileOf("empty.txt", new Uint8Array());
let large = fileOf("large.bin", bytesOf(largeBytes));
let tooLarge = fileOf("too-large.bin", new Uint8Array(maxFileMb * MIB + 1));

for (let on of ["local", "s3"] as const) {
  describe.skipIf(skipped)(`on ${on}`, () => {
    let world: World;
    let form = "";
    /** What is there when a test begins. */
    let rows = 0;
    let objects = 0;

    beforeAll(async () => {
      world = await createWorld(on, { S3_UPLOADS_MAX_FILE_SIZE_MB: String(maxFileMb) });
      form = `${world.server.base}/upload`;
    });
    afterAll(() => world.close());

    function count(): void {
      ({ rows, objects } = world.census());
    }

    async function hashOfDownload(id: number | undefined): Promise<string> {
      let response = await fetch(`${world.server.base}/files/${id}/download`);
      return sha256Of(await response.bytes());
    }

    async function expectNothingNew(): Promise<void> {
      await world.settled(rows, objects);
    }

    /** Feeds curl until the server has begun to store; on a bucket until a multipart upload is there. */
    async function beginUpload(name: string) {
      let sender = startCurl("-T", "-", `${form}/${name}`);
      let bytes = bytesOf(largeBytes);
      await sender.feed(bytes);
      await world.underWay();
      return { ...sender, sha256: sha256Of(bytes) };
    }

    test("takes one file of a form", async () => {
      let { status, body } = await curl("-F", `file=@${small}`, form);
      expect(status).toBe(201);
      expect(await hashOfDownload(body.file_id)).toBe(sha256Of(bytesOf(5000)));
      await world.settled(1);
    });

    test("says how long a file is that it sends, or a part of it", async () => {
      let put = await fetch(`${form}/length.bin`, { method: "PUT", body: bytesOf(5000) });
      let { url } = (await put.json()) as { url: string };
      let ask = (headers = {}) => fetch(new URL(url, world.server.base), { headers });
      let [whole, part] = await Promise.all([ask(), ask({ Range: "bytes=10-29" })]);
      expect([whole.status, whole.headers.get("Content-Length")]).toEqual([200, "5000"]);
      expect([part.status, part.headers.get("Content-Length")]).toEqual([206, "20"]);
      expect(await whole.bytes()).toEqual(bytesOf(5000));
      expect(await part.bytes()).toEqual(bytesOf(5000).slice(10, 30));
    });

    test("takes ten files of one form", async () => {
      count();
      let fields = Array.from({ length: 10 }, () => ["-F", `file=@${small}`]).flat();
      let { status, body } = await curl(...fields, form);
      expect({ status, files: body.files?.length }).toEqual({ status: 201, files: 10 });
      await world.settled(rows + 10, objects + 10);
    });

    test("takes a file of several parts in a form and as a bare body", async () => {
      count();
      let answers = [await curl("-F", `file=@${large}`, form), await curl("-T", large, `${form}/large.bin`)];
      for (let { status, body } of answers) {
        expect(status).toBe(201);
        expect(await hashOfDownload(body.file_id)).toBe(sha256Of(bytesOf(largeBytes)));
      }
      await world.settled(rows + 2, objects + 2);
    });

    test("takes empty files and names beyond ASCII", async () => {
      count();
      let answers = [
        await curl("-F", `file=@${empty}`, form),
        await curl("-T", empty, `${form}/empty.txt`),
        await curl("-F", `file=@${small};filename=🦄 käse.bin`, form),
      ];
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(await hashOfDownload(answers[0]!.body.file_id)).toBe(sha256Of(new Uint8Array()));
      expect(JSON.stringify(answers[2]!.body)).toContain("🦄 käse.bin");
      await world.settled(rows + 3, objects + 3);
    });

    test("takes a body of unknown length", async () => {
      count();
      let { status, body } = await curl("-H", "Transfer-Encoding: chunked", "-T", large, `${form}/c.bin`);
      expect(status).toBe(201);
      expect(await hashOfDownload(body.file_id)).toBe(sha256Of(bytesOf(largeBytes)));
      await world.settled(rows + 1, objects + 1);
    });

    test("refuses what is too large and keeps nothing of it", async () => {
      count();
      let ways = [
        ["-F", `file=@${tooLarge}`, form],
        ["-T", tooLarge, `${form}/x.bin`],
        ["-H", "Transfer-Encoding: chunked", "-T", tooLarge, `${form}/x.bin`],
      ];
      for (let way of ways) {
        let { status, body } = await curl(...way);
        expect({ status, code: body.error?.code }).toEqual({ status: 413, code: "file_too_large" });
      }
      await expectNothingNew();
    });

    test("takes the others of a form when one is refused", async () => {
      count();
      let fields = ["-F", `file=@${small}`, "-F", `file=@${tooLarge}`, "-F", `file=@${small}`];
      let { status, body } = await curl(...fields, form);
      expect(status).toBe(207);
      expect(body.files?.map(({ success }) => success)).toEqual([true, false, true]);
      await world.settled(rows + 2, objects + 2);
    });

    test("answers a retry with the same Idempotency-Key with the first id", async () => {
      count();
      let once = ["-H", 'Idempotency-Key: "key-of-a-retry"', "-F", `file=@${small}`, form];
      let first = await curl(...once);
      let [second, third] = await Promise.all([curl(...once), curl(...once)]);
      expect([first.status, second.status, third.status]).toEqual([201, 201, 201]);
      expect([second.body.file_id, third.body.file_id]).toEqual([first.body.file_id, first.body.file_id]);
      await world.settled(rows + 1, objects + 1);
    });

    test("keeps nothing of a sender that goes away", async () => {
      count();
      for (let way of [
        ["-F", `file=@${large}`, form],
        ["-T", large, `${form}/gone.bin`],
      ]) {
        let sender = startCurl("--limit-rate", "9M", ...way);
        await world.underWay();
        await sender.kill();
        await expectNothingNew();
      }
    });

    test("removes the object with its row", async () => {
      let { body } = await curl("-F", `file=@${small}`, form);
      count();
      let gone = await curl("-X", "DELETE", `${world.server.base}/files/${body.file_id}`);
      expect(gone).toMatchObject({ status: 200, body: { deleted: [body.file_id] } });
      await world.settled(rows - 1, objects - 1);
      let again = await curl("-X", "DELETE", `${world.server.base}/files/${body.file_id}`);
      expect(again.status).toBe(404);
    });

    test("keeps nothing of an upload in which it was killed", async () => {
      count();
      let sender = await beginUpload("killed.bin");
      await world.server.kill();
      await sender.kill();
      expect(world.census().intents).toBe(1);
      await world.restart();
      await expectNothingNew();
      form = `${world.server.base}/upload`;
    });

    test("finishes the uploads under way before it ends, and exits with 0", async () => {
      count();
      let sender = await beginUpload("last.bin");
      let stopped = world.server.stop();
      await eventually(() => world.server.stderr().includes("ending"), Boolean);
      await sender.feed(null);
      let { status } = await sender.answer;
      expect({ status, exitCode: await stopped }).toEqual({ status: 201, exitCode: 0 });
      await world.settled(rows + 1, objects + 1);
    });

    test("links duplicates and removes their object with the last row", async () => {
      await world.restart({ S3_UPLOADS_DUPLICATES: "link" });
      form = `${world.server.base}/upload`;
      count();
      let path = fileOf("twin.bin", bytesOf(777));
      let ids: (number | undefined)[] = [];
      for (let nth = 0; nth < 3; nth++) ids.push((await curl("-F", `file=@${path}`, form)).body.file_id);
      await world.settled(rows + 3, objects + 1);
      for (let [nth, id] of ids.entries()) {
        expect(await hashOfDownload(ids[2])).toBe(sha256Of(bytesOf(777)));
        expect((await curl("-X", "DELETE", `${world.server.base}/files/${id}`)).status).toBe(200);
        await world.settled(rows + 2 - nth, objects + (nth < 2 ? 1 : 0));
        // Two links and one row that is gone, then one link; with the object go all of them.
        expect(world.marks()).toBe([3, 2, 0][nth]!);
      }
      let [a, b] = await Promise.all([curl("-F", `file=@${path}`, form), curl("-F", `file=@${path}`, form)]);
      expect([a.status, b.status]).toEqual([201, 201]);
      await world.settled(rows + 2, objects + 1);
      expect(await world.server.stop()).toBe(0);
    });

    test("refuses duplicates and keeps nothing of them", async () => {
      await world.restart({ S3_UPLOADS_DUPLICATES: "reject" });
      form = `${world.server.base}/upload`;
      let path = fileOf("only.bin", bytesOf(778));
      expect((await curl("-F", `file=@${path}`, form)).status).toBe(201);
      count();
      let { status, body } = await curl("-F", `file=@${path}`, form);
      expect({ status, code: body.error?.code }).toEqual({ status: 409, code: "duplicate" });
      await expectNothingNew();
    });
  });
}

test("lives without its storage and says that it isn't ready", async () => {
  let world = await createWorld("s3", { S3_ENDPOINT_URL: "http://127.0.0.1:9" });
  try {
    let { base } = world.server;
    let [live, ready, list] = await Promise.all(
      ["healthz", "readyz", "files.json"].map((path) => fetch(`${base}/${path}`)),
    );
    expect([live?.status, ready?.status, list?.status]).toEqual([200, 503, 200]);
    expect(await world.server.stop()).toBe(0);
  } finally {
    await world.close();
  }
});
