import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";

import { AppError } from "../../src/errors.ts";
import { DAY_MS, KIB, MIB } from "../../src/units.ts";
import { bytesOf, sha256Of } from "../store/bodies.ts";
import { expectError } from "../support/expect-error.ts";
import { slowDown } from "../support/s3-fake.ts";
import { censusOf, eventually } from "../support/server.ts";
import { handFed, offsetOf, openWorld, pieceType, type ResumeWorld, testBase, tusOf } from "./world.ts";

/** Two parts of a multipart upload, and a rest. */
const largeBytes = 20 * MIB + 12_345;
const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

let world: ResumeWorld;
let tus: ReturnType<typeof tusOf>;

async function open(on: "local" | "s3", env: Record<string, string> = {}): Promise<void> {
  world = await openWorld(on, env);
  tus = tusOf(world.ask);
}

async function expectFile(response: Response, bytes: Uint8Array): Promise<void> {
  let id = response.headers.get("S3-Uploads-File-Id");
  let { file } = (await (await world.ask(`${testBase}/files/${id}.json`)).json()) as {
    file: { checksum_sha256: string; size_bytes: number };
  };
  expect([file.size_bytes, file.checksum_sha256]).toEqual([bytes.length, sha256Of(bytes)]);
  let download = await world.ask(`${testBase}/files/${id}/download`);
  expect(sha256Of(await download.bytes())).toBe(sha256Of(bytes));
}

/** Nothing is left of uploads but these many files. */
async function expectOnly(files: number): Promise<void> {
  let { fake } = world;
  await eventually(
    () => {
      let { rows, intents, files: onDisk } = censusOf(world.dataDir);
      let objects = fake ? fake.objects.size : onDisk.filter((path) => !path.includes("/.")).length;
      let unfinished = fake
        ? fake.unfinished.size
        : onDisk.filter((path) => /\.unfinished|\.tmp/.test(path)).length;
      return { rows, intents, objects, unfinished };
    },
    (seen) => seen.rows === files && seen.intents === 0 && seen.objects === files && seen.unfinished === 0,
  );
  expect(world.budget.heldBytes).toBe(0);
}

for (let on of ["local", "s3"] as const) {
  describe(`on ${on}`, () => {
    beforeEach(() => open(on));
    afterEach(() => world.close());

    test("pieces of any size become one file", async () => {
      let bytes = bytesOf(largeBytes);
      let path = await tus.begin(bytes.length);
      let ends = [1, 2, 100 * KIB, 300 * KIB, 300 * KIB + 1, 9 * MIB, 17 * MIB, largeBytes - 1, largeBytes];
      let at = 0;
      let last: Response | null = null;
      for (let end of ends) {
        last = await tus.patch(path, at, bytes.subarray(at, end));
        expect([last.status, offsetOf(last)]).toEqual([204, end]);
        at = end;
      }
      await expectFile(last!, bytes);
      await expectOnly(1);
    });

    test("a piece whose connection breaks counts as far as it came", async () => {
      let bytes = bytesOf(largeBytes);
      let path = await tus.begin(bytes.length);
      for (let [from, to] of [
        [0, 70_000],
        [70_000, 9 * MIB],
        [9 * MIB, 18 * MIB],
      ] as const) {
        let { body, feed, taken, breakOff } = handFed();
        feed(bytes.subarray(from, to));
        let answer = tus.patch(path, from, body);
        await taken();
        breakOff();
        expect((await answer).status).toBe(400);
        expect(offsetOf(await tus.head(path))).toBe(to);
      }
      await expectFile(await tus.patch(path, 18 * MIB, bytes.subarray(18 * MIB)), bytes);
      await expectOnly(1);
    });

    test("a newer piece takes over, and every byte is in its place", async () => {
      let bytes = bytesOf(largeBytes);
      let path = await tus.begin(bytes.length);
      let older = handFed();
      older.feed(bytes.subarray(0, 10 * MIB));
      let answer = tus.patch(path, 0, older.body);
      // Its sender is silent from here on, and its connection stays open.
      let standsAt = await eventually(
        async () => offsetOf(await tus.head(path)),
        (offset) => offset === 10 * MIB,
      );
      let newer = await tus.patch(path, standsAt, bytes.subarray(standsAt));
      await expectError(await answer, 409, "wrong_offset");
      await expectFile(newer, bytes);
      await expectOnly(1);
    });

    test("whoever asks all the time how far it is does not disturb it", async () => {
      let bytes = bytesOf(1000);
      let path = await tus.begin(bytes.length);
      let { body, feed, end } = handFed();
      let answer = tus.patch(path, 0, body);
      for (let at = 0; at < bytes.length; at += 50) {
        feed(bytes.subarray(at, at + 50));
        for (let i = 0; i < 20; i++) expect(offsetOf(await tus.head(path))).toBe(0);
      }
      end();
      await expectFile(await answer, bytes);
    });

    test("of two pieces at once with different bytes one is taken and nothing is mixed", async () => {
      let one = new Uint8Array(9 * MIB).fill(1);
      let two = new Uint8Array(9 * MIB).fill(2);
      let path = await tus.begin(9 * MIB);
      let answers = await Promise.all([tus.patch(path, 0, one), tus.patch(path, 0, two)]);
      for (let at = 0; at < 9 * MIB;) {
        let head = await tus.head(path);
        if (head.headers.has("S3-Uploads-File-Id")) break;
        at = offsetOf(head);
        await tus.patch(path, at, two.subarray(at));
      }
      let id = (await tus.head(path)).headers.get("S3-Uploads-File-Id");
      let stored = await (await world.ask(`${testBase}/files/${id}/download`)).bytes();
      let first = stored[0];
      let turns = stored.findIndex((byte) => byte !== first);
      // What came of the first stands, and the other one goes on behind it.
      if (turns >= 0) expect(stored.subarray(turns).every((byte) => byte === 2)).toBe(true);
      expect(answers.map(({ status }) => status).filter((status) => status !== 409).length).toBeLessThan(2);
      await expectOnly(1);
    });

    test("a restart between two pieces loses nothing, and the digest is right", async () => {
      let bytes = bytesOf(largeBytes);
      let path = await tus.begin(bytes.length);
      for (let [from, to] of [
        [0, 100],
        [100, 12 * MIB],
        [12 * MIB, largeBytes],
      ] as const) {
        await world.restart();
        expect(offsetOf(await tus.head(path))).toBe(from);
        let answer = await tus.patch(path, from, bytes.subarray(from, to));
        expect(answer.status).toBe(204);
      }
      await expectFile(await tus.head(path), bytes);
      await expectOnly(1);
    });

    test("a small file is whole after a restart", async () => {
      let bytes = bytesOf(1000);
      let path = await tus.begin(bytes.length);
      await tus.patch(path, 0, bytes.subarray(0, 999));
      await world.restart();
      await expectFile(await tus.patch(path, 999, bytes.subarray(999)), bytes);
      await expectOnly(1);
    });

    test("a wrong checksum leaves no byte behind, however large the piece", async () => {
      let bytes = bytesOf(largeBytes);
      let path = await tus.begin(bytes.length);
      await tus.patch(path, 0, bytes.subarray(0, 1000));
      let wrong = { "Upload-Checksum": `sha1 ${Buffer.alloc(20).toString("base64")}` };
      await expectError(
        await tus.patch(path, 1000, bytes.toReversed().subarray(1000), wrong),
        460,
        "wrong_checksum",
      );
      expect(offsetOf(await tus.head(path))).toBe(1000);
      let sum = createHash("sha256").update(bytes.subarray(1000)).digest("base64");
      let last = await tus.patch(path, 1000, bytes.subarray(1000), { "Upload-Checksum": `sha256 ${sum}` });
      await expectFile(last, bytes);
      await expectOnly(1);
    });

    test("a piece with a checksum whose connection breaks leaves no byte behind", async () => {
      let bytes = bytesOf(10 * MIB);
      let path = await tus.begin(bytes.length);
      let { body, feed, taken, breakOff } = handFed();
      feed(bytes.subarray(0, 9 * MIB));
      let sum = { "Upload-Checksum": `sha1 ${Buffer.alloc(20).toString("base64")}` };
      let answer = tus.patch(path, 0, body, sum);
      await taken();
      breakOff();
      expect((await answer).status).toBe(400);
      expect(offsetOf(await tus.head(path))).toBe(0);
      await expectFile(await tus.patch(path, 0, bytes), bytes);
      await expectOnly(1);
    });

    test("the type is that of the bytes that stay, not of those that were thrown away", async () => {
      let bytes = new Uint8Array(9 * MIB);
      let path = await tus.begin(bytes.length, "a.png");
      let picture = new Uint8Array(300 * KIB);
      picture.set(png);
      let wrong = { "Upload-Checksum": `sha1 ${Buffer.alloc(20).toString("base64")}` };
      await expectError(await tus.patch(path, 0, picture, wrong), 460, "wrong_checksum");
      let last = await tus.patch(path, 0, bytes);
      let id = last.headers.get("S3-Uploads-File-Id");
      let answer = (await (await world.ask(`${testBase}/files/${id}.json`)).json()) as {
        file: { content_type: string };
      };
      expect(answer.file.content_type).toBe("application/octet-stream");
      await expectOnly(1);
    });

    test("a server that ends keeps what came", async () => {
      let bytes = bytesOf(largeBytes);
      let path = await tus.begin(bytes.length);
      let { body, feed, taken } = handFed();
      feed(bytes.subarray(0, 12 * MIB));
      let answer = tus.patch(path, 0, body);
      await taken();
      world.endUploads(new AppError("server_busy"));
      await expectError(await answer, 503, "server_busy");
      await world.restart();
      expect(offsetOf(await tus.head(path))).toBe(12 * MIB);
      await expectFile(await tus.patch(path, 12 * MIB, bytes.subarray(12 * MIB)), bytes);
      await expectOnly(1);
    });

    test("DELETE takes back what is in storage", async () => {
      let path = await tus.begin(largeBytes);
      await tus.patch(path, 0, bytesOf(12 * MIB));
      expect((await tus.terminate(path)).status).toBe(204);
      await expectOnly(0);
    });

    test("DELETE ends a piece that is coming", async () => {
      let path = await tus.begin(largeBytes);
      let { body, feed } = handFed();
      feed(bytesOf(12 * MIB));
      let answer = tus.patch(path, 0, body);
      await eventually(
        () => censusOf(world.dataDir).intents,
        (intents) => intents === 1,
      );
      expect((await tus.terminate(path)).status).toBe(204);
      expect((await answer).status).toBe(409);
      await expectOnly(0);
    });

    test("a day without a byte takes back what is in storage, also when the server was down meanwhile", async () => {
      let one = await tus.begin(largeBytes);
      let two = await tus.begin(largeBytes);
      await tus.patch(one, 0, bytesOf(12 * MIB));
      await tus.patch(two, 0, bytesOf(12 * MIB));
      world.passTime(DAY_MS + 1000);
      await world.restart();
      await eventually(
        async () => [(await tus.head(one)).status, (await tus.head(two)).status].join(),
        (statuses) => statuses === "410,410",
      );
      await expectOnly(0);
    });
  });
}

describe("rules that hold on every way in", () => {
  afterEach(() => world.close());

  test("a sender that stands still hears what clients of tus take for passing, and what it sent counts", async () => {
    await open("local", { S3_UPLOADS_STALL_TIMEOUT_S: "1" });
    let path = await tus.begin(1000);
    let { body, feed } = handFed();
    feed(bytesOf(600));
    let told = await tus.patch(path, 0, body);
    expect([told.headers.get("Retry-After"), told.headers.get("Connection")]).toEqual(["1", "close"]);
    await expectError(told, 503, "upload_stalled");
    expect(offsetOf(await tus.head(path))).toBe(600);
  });

  test("addresses are whole where the public address is known", async () => {
    let anybody = { S3_UPLOADS_ALLOW_ANONYMOUS: "upload,view" };
    await open("local", { ...anybody, S3_UPLOADS_PUBLIC_URL: "https://files.example.org" });
    let path = await tus.begin(5);
    expect(path).toStartWith(`https://files.example.org${testBase}/tus/`);
    let last = await tus.patch(new URL(path).pathname, 0, bytesOf(5));
    expect(last.headers.get("S3-Uploads-File-Url")).toStartWith("https://files.example.org/");
  });

  test("memory that is taken is given back, and the rules of admission hold", async () => {
    await open("s3", { S3_UPLOADS_UPLOAD_MEMORY_MB: "24" });
    let paths = await Promise.all(Array.from({ length: 6 }, () => tus.begin(10 * MIB)));
    let bytes = bytesOf(10 * MIB);
    let answers = await Promise.all(paths.map((path) => tus.patch(path, 0, bytes)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 204));
    await expectOnly(6);
  });

  test("a refused type is refused before anything is sent to the bucket", async () => {
    await open("s3", { S3_UPLOADS_ALLOWED_MIME_TYPES: "text/*" });
    let path = await tus.begin(largeBytes, "a.txt");
    let picture = new Uint8Array(10 * MIB);
    picture.set(png);
    await expectError(await tus.patch(path, 0, picture), 415, "type_not_allowed");
    let writes = world.fake!.calls.filter(({ operation }) => /Create|UploadPart|PutObject/.test(operation));
    expect(writes).toEqual([]);
    await expectOnly(0);
  });

  test("a duplicate that is to be rejected is answered 422, and its upload has ended", async () => {
    await open("s3", { S3_UPLOADS_DUPLICATES: "reject" });
    let bytes = bytesOf(9 * MIB);
    let first = await tus.patch(await tus.begin(bytes.length), 0, bytes);
    let path = await tus.begin(bytes.length);
    let body = await expectError(await tus.patch(path, 0, bytes), 422, "duplicate");
    expect(body.error["duplicate_of"]).toBe(Number(first.headers.get("S3-Uploads-File-Id")));
    expect((await tus.head(path)).status).toBe(410);
    await expectOnly(1);
  });

  test("a duplicate that is to be linked shares the object", async () => {
    await open("s3", { S3_UPLOADS_DUPLICATES: "link" });
    let bytes = bytesOf(9 * MIB);
    await tus.patch(await tus.begin(bytes.length), 0, bytes);
    let path = await tus.begin(bytes.length);
    let second = await tus.patch(path, 0, bytes, { Accept: "application/json" });
    let told = (await second.json()) as object;
    expect(told).toMatchObject({ duplicate_of: 1, file_id: 2 });
    // The answer was lost: the last request comes again.
    let nothing = new Uint8Array(0);
    let again = await tus.patch(path, bytes.length, nothing, { Accept: "application/json" });
    expect(await again.json()).toEqual(told);
    // Beside it stands the mark that a rebuild of the catalog needs.
    let keys = [...world.fake!.objects.keys()];
    expect(keys.filter((key) => !key.includes("/marks/"))).toHaveLength(1);
  });
});

describe("when the bucket fails", () => {
  beforeEach(() => open("s3"));
  afterEach(() => world.close());

  test("a part that is refused for good leaves the offset before it, and the rest comes later", async () => {
    let bytes = bytesOf(30 * MIB);
    let path = await tus.begin(bytes.length);
    world.fake!.script.fail("UploadPart", { kind: "status", status: 403, code: "AccessDenied" }, { skip: 1 });
    await expectError(await tus.patch(path, 0, bytes), 502, "storage_error");
    let at = offsetOf(await tus.head(path));
    expect([0, 8 * MIB]).toContain(at);
    await expectFile(await tus.patch(path, at, bytes.subarray(at)), bytes);
    await expectOnly(1);
  });

  test("parts that fail for now are sent again, in whatever order they arrive", async () => {
    let bytes = bytesOf(30 * MIB);
    let path = await tus.begin(bytes.length);
    world.fake!.script.fail("UploadPart", slowDown, { times: 2 });
    world.fake!.script.fail("UploadPart", { kind: "lostAnswer" }, { skip: 1 });
    await expectFile(await tus.patch(path, 0, bytes), bytes);
    await expectOnly(1);
  });

  test("a bucket that is slow is not taken for a sender that is gone", async () => {
    await world.close();
    await open("s3", { S3_TIMEOUT_S: "30" });
    let bytes = bytesOf(17 * MIB);
    let path = await tus.begin(bytes.length);
    world.fake!.script.fail("UploadPart", { kind: "delay", ms: 3000 }, { times: 2 });
    let answer = tus.patch(path, 0, bytes);
    let answered = new AbortController();
    let asked = (async () => {
      while (!answered.signal.aborted) {
        await tus.head(path);
        await Bun.sleep(50);
      }
    })();
    await expectFile(await answer, bytes);
    answered.abort();
    await asked;
  });

  test("an upload that a rule of the bucket has ended is gone, not complete", async () => {
    let bytes = bytesOf(30 * MIB);
    let path = await tus.begin(bytes.length);
    await tus.patch(path, 0, bytes.subarray(0, 17 * MIB));
    world.fake!.unfinished.clear();
    await expectError(await tus.patch(path, 17 * MIB, bytes.subarray(17 * MIB)), 410, "gone");
    expect((await tus.head(path)).status).toBe(410);
    await expectOnly(0);
  });

  test("a Complete whose answer is lost is no failure", async () => {
    let bytes = bytesOf(9 * MIB);
    let path = await tus.begin(bytes.length);
    world.fake!.script.fail("CompleteMultipartUpload", { kind: "lostAnswer" });
    await expectFile(await tus.patch(path, 0, bytes), bytes);
    await expectOnly(1);
  });

  test("a file that can't be finished now is finished later, and found under its upload", async () => {
    let bytes = bytesOf(9 * MIB);
    let path = await tus.begin(bytes.length);
    let denied = { kind: "status", status: 403, code: "AccessDenied" } as const;
    world.fake!.script.fail("CompleteMultipartUpload", denied);
    await expectError(await tus.patch(path, 0, bytes), 502, "storage_error");
    let head = await tus.head(path);
    expect([offsetOf(head), head.headers.get("S3-Uploads-File-Id")]).toEqual([bytes.length, null]);
    world.passTime(2 * DAY_MS);
    let found = await eventually(
      () => tus.head(path),
      ({ headers }) => headers.has("S3-Uploads-File-Id"),
    );
    await expectFile(found, bytes);
    await expectOnly(1);
  });

  test("an empty PATCH at the end tries to finish at once", async () => {
    let bytes = bytesOf(9 * MIB);
    let path = await tus.begin(bytes.length);
    let denied = { kind: "status", status: 403, code: "AccessDenied" } as const;
    world.fake!.script.fail("CompleteMultipartUpload", denied);
    await tus.patch(path, 0, bytes);
    await expectFile(await tus.patch(path, bytes.length), bytes);
  });

  test("a restart after Complete and before the row reads the object back", async () => {
    let bytes = bytesOf(9 * MIB);
    let path = await tus.begin(bytes.length);
    world.fake!.script.fail("CompleteMultipartUpload", { kind: "lostAnswer" });
    world.fake!.script.fail("HeadObject", { kind: "status", status: 403, code: "AccessDenied" });
    world.fake!.script.fail("HeadObject", { kind: "status", status: 403, code: "AccessDenied" });
    expect((await tus.patch(path, 0, bytes)).status).toBeGreaterThanOrEqual(500);
    expect(world.fake!.objects.size).toBe(1);
    await world.restart();
    let found = await eventually(
      () => tus.head(path),
      ({ headers }) => headers.has("S3-Uploads-File-Id"),
    );
    await expectFile(found, bytes);
    await expectOnly(1);
  });

  test("a creation with bytes that fails leaves nothing", async () => {
    let denied = { kind: "status", status: 403, code: "AccessDenied" } as const;
    world.fake!.script.fail("CreateMultipartUpload", denied);
    let bytes = bytesOf(9 * MIB);
    let headers = { "Upload-Length": String(bytes.length), "Content-Type": pieceType };
    let response = await tus.create({ ...headers, "Content-Length": String(bytes.length) }, bytes);
    await expectError(response, 502, "storage_error");
    await expectOnly(0);
  });
});
