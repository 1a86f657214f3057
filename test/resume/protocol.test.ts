import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";

import type { ErrorCode } from "../../src/errors.ts";
import { DAY_MS, MIB } from "../../src/units.ts";
import { bytesOf, sha256Of } from "../store/bodies.ts";
import { expectError } from "../support/expect-error.ts";
import { eventually } from "../support/server.ts";
import { offsetOf, openWorld, pieceType, type ResumeWorld, testBase, tusOf } from "./world.ts";

const maxFileBytes = MIB;
const hello = new TextEncoder().encode("hello");
const version = { "Tus-Resumable": "1.0.0" };

let world: ResumeWorld;
let tus: ReturnType<typeof tusOf>;
beforeAll(async () => {
  world = await openWorld("local", {
    S3_UPLOADS_MAX_FILE_SIZE_MB: "1",
    S3_UPLOADS_BLOCKED_EXTENSIONS: "exe",
    S3_UPLOADS_ALLOWED_MIME_TYPES: "text/*,application/octet-stream",
  });
  tus = tusOf(world.ask);
});
afterAll(() => world.close());

function metadata(...pairs: [key: string, value: string][]): string {
  return pairs.map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`).join(",");
}
function checksum(algorithm: string, bytes: Uint8Array): string {
  return `${algorithm} ${createHash(algorithm).update(bytes).digest("base64")}`;
}
async function begun(lengthBytes = 10, bytes = hello): Promise<string> {
  let path = await tus.begin(lengthBytes, "a.txt");
  if (bytes.length > 0) expect((await tus.patch(path, 0, bytes)).status).toBe(204);
  return path;
}
async function fileOf(response: Response): Promise<Record<string, unknown>> {
  let id = response.headers.get("S3-Uploads-File-Id");
  let answer = await world.ask(`${testBase}/files/${id}.json`);
  return ((await answer.json()) as { file: Record<string, unknown> }).file;
}

async function deferred(): Promise<string> {
  let response = await tus.create({ "Upload-Defer-Length": "1" });
  expect(response.status).toBe(201);
  return response.headers.get("Location")!;
}

describe("OPTIONS", () => {
  test.each([`${testBase}/tus`, `${testBase}/tus/0`])("%s tells what is spoken here", async (path) => {
    let { status, headers } = await world.ask(path, { method: "OPTIONS" });
    expect(status).toBe(204);
    expect(headers.get("Tus-Version")).toBe("1.0.0");
    expect(headers.get("Tus-Extension")).toBe(
      "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum",
    );
    expect(headers.get("Tus-Checksum-Algorithm")).toBe("sha1,sha256");
    expect(headers.get("Tus-Max-Size")).toBe(String(maxFileBytes));
    expect(headers.get("Access-Control-Allow-Origin")).toBeNull();
  });
});

describe("a creation", () => {
  test("answers where the upload is, how far it is and until when", async () => {
    let response = await tus.create({ "Upload-Length": "5", "Upload-Metadata": metadata(["name", "a.txt"]) });
    expect(response.status).toBe(201);
    expect(response.headers.get("Location")).toMatch(/^\/-\/s3-uploads\/tus\/[0-9a-f-]{36}$/);
    expect(response.headers.get("Tus-Resumable")).toBe("1.0.0");
    expect(response.headers.get("Upload-Expires")).toBe("Tue, 24 Nov 2026 12:00:00 GMT");
    expect(offsetOf(response)).toBe(0);
  });

  let refused: [what: string, headers: Record<string, string>, status: number, code: ErrorCode][] = [
    ["no length", {}, 400, "bad_request"],
    ["a length that is none", { "Upload-Length": "5x" }, 400, "bad_request"],
    ["a negative length", { "Upload-Length": "-5" }, 400, "bad_request"],
    ["both lengths", { "Upload-Length": "5", "Upload-Defer-Length": "1" }, 400, "bad_request"],
    ["Upload-Defer-Length: 0", { "Upload-Defer-Length": "0" }, 400, "bad_request"],
    ["too much", { "Upload-Length": String(maxFileBytes + 1) }, 413, "file_too_large"],
    ["more than a number holds", { "Upload-Length": "9007199254740993" }, 413, "file_too_large"],
    ["more than there is", { "Upload-Length": "9".repeat(400) }, 413, "file_too_large"],
    [
      "metadata without base64",
      { "Upload-Length": "5", "Upload-Metadata": "name a.txt" },
      400,
      "bad_request",
    ],
    ["metadata cut short", { "Upload-Length": "5", "Upload-Metadata": "name YQ" }, 400, "bad_request"],
    ["a key twice", { "Upload-Length": "5", "Upload-Metadata": "a YQ==,a YQ==" }, 400, "bad_request"],
    ["an empty pair", { "Upload-Length": "5", "Upload-Metadata": "a YQ==,,b YQ==" }, 400, "bad_request"],
    ["a third word", { "Upload-Length": "5", "Upload-Metadata": "a YQ== b" }, 400, "bad_request"],
    [
      "a name of dots",
      { "Upload-Length": "5", "Upload-Metadata": metadata(["filename", ".."]) },
      400,
      "invalid_filename",
    ],
    [
      "a blocked extension",
      { "Upload-Length": "5", "Upload-Metadata": metadata(["filename", "a.exe"]) },
      415,
      "type_not_allowed",
    ],
    ["a part of several", { "Upload-Length": "5", "Upload-Concat": "partial" }, 400, "bad_request"],
    ["another version", { "Upload-Length": "5", "Tus-Resumable": "0.2.2" }, 412, "unsupported_version"],
    [
      "another site's page",
      { "Upload-Length": "5", Origin: "http://evil.example" },
      403,
      "cross_site_request",
    ],
    ["a host that is not ours", { "Upload-Length": "5", Host: "evil.example" }, 403, "untrusted_host"],
    ["a form's type", { "Upload-Length": "5", "Content-Type": "text/plain" }, 415, "unsupported_media_type"],
  ];
  test.each(refused)("with %s is refused", async (_what, headers, status, code) => {
    let response = await tus.create(headers);
    await expectError(response, status, code);
    expect(response.headers.get("Tus-Resumable")).toBe("1.0.0");
    if (status === 412) expect(response.headers.get("Tus-Version")).toBe("1.0.0");
    expect(response.headers.get("Location")).toBeNull();
  });

  let names: [sent: string, kept: string][] = [
    ["../../etc/passwd", "passwd"],
    ["C:\\temp\\käse 🦄.txt", "käse 🦄.txt"],
    ["a\u202Etxt.txt", "a_txt.txt"],
    ["<b>.txt", "<b>.txt"],
    ["a\r\nSet-Cookie: x.txt", "a__Set-Cookie: x.txt"],
  ];
  test.each(names)("keeps the name %j as %j", async (sent, kept) => {
    let path = (
      await tus.create({ "Upload-Length": "5", "Upload-Metadata": metadata(["filename", sent]) })
    ).headers.get("Location")!;
    expect((await fileOf(await tus.patch(path, 0, hello)))["filename"]).toBe(kept);
  });

  test("without a name makes a file of a plain one, and its type is a claim like any other", async () => {
    let path = (
      await tus.create({ "Upload-Length": "5", "Upload-Metadata": metadata(["filetype", "image/png"]) })
    ).headers.get("Location")!;
    let file = await fileOf(await tus.patch(path, 0, hello));
    expect(file).toMatchObject({ filename: "upload", content_type: "text/plain" });
    expect(file["metadata"]).toMatchObject({ declared_type: "image/png" });
  });

  test("of an empty file finishes it", async () => {
    let response = await tus.create({ "Upload-Length": "0", "Upload-Metadata": metadata(["name", "e.txt"]) });
    expect(response.status).toBe(201);
    expect(await fileOf(response)).toMatchObject({ size_bytes: 0, filename: "e.txt" });
  });

  test("with the bytes takes them", async () => {
    let headers = { "Upload-Length": "10", "Content-Type": pieceType, "Content-Length": "5" };
    let response = await tus.create(headers, hello);
    expect(response.status).toBe(201);
    expect(offsetOf(response)).toBe(5);
    let last = await tus.patch(response.headers.get("Location")!, 5, hello);
    expect((await fileOf(last))["checksum_sha256"]).toBe(sha256Of(Buffer.concat([hello, hello])));
  });

  test("with all bytes answers with the file, in JSON when asked", async () => {
    let headers = {
      "Upload-Length": "5",
      "Content-Type": pieceType,
      "Content-Length": "5",
      Accept: "application/json",
    };
    let response = await tus.create(headers, hello);
    expect(response.status).toBe(201);
    let body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      success: true,
      file_id: Number(response.headers.get("S3-Uploads-File-Id")),
    });
    expect(response.headers.get("S3-Uploads-File-Url")).toBe(String(body["url"]));
  });

  test("with bytes of a refused type leaves no upload", async () => {
    let png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk", "base64");
    let headers = { "Upload-Length": String(png.length), "Content-Type": pieceType };
    let response = await tus.create({ ...headers, "Content-Length": String(png.length) }, png);
    await expectError(response, 415, "type_not_allowed");
    expect(response.headers.get("Location")).toBeNull();
  });

  test("twice for one file makes two uploads", async () => {
    expect(await tus.begin(5, "same.txt")).not.toBe(await tus.begin(5, "same.txt"));
  });
});

describe("HEAD", () => {
  test("tells offset, length and metadata, and is not to be kept", async () => {
    let sent = metadata(["filename", "a.txt"], ["note", "käse"]);
    let path = (await tus.create({ "Upload-Length": "10", "Upload-Metadata": sent })).headers.get(
      "Location",
    )!;
    let { status, headers } = await tus.head(path);
    expect(status).toBe(200);
    expect(headers.get("Upload-Offset")).toBe("0");
    expect(headers.get("Upload-Length")).toBe("10");
    expect(headers.get("Upload-Metadata")).toBe(sent);
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("Tus-Resumable")).toBe("1.0.0");
  });

  test("of a finished upload goes on to name the file", async () => {
    let path = await begun(5);
    let head = await tus.head(path);
    expect([head.status, offsetOf(head)]).toEqual([200, 5]);
    expect(await fileOf(head)).toMatchObject({ size_bytes: 5 });
  });

  test("of an unknown upload is 404, and tells no offset", async () => {
    let response = await tus.head(`${testBase}/tus/${Bun.randomUUIDv7()}`);
    expect([response.status, response.headers.get("Upload-Offset")]).toEqual([404, null]);
  });

  test("in another version is 412", async () => {
    expect((await tus.head(await begun(), { "Tus-Resumable": "2.0.0" })).status).toBe(412);
  });

  test("a plain GET tells people the same in JSON", async () => {
    let path = await begun();
    let response = await world.ask(path);
    expect(await response.json()).toEqual({ success: true, offset: 5, length: 10 });
  });
});

describe("PATCH", () => {
  let cases: [
    what: string,
    patch: (path: string) => Promise<Response>,
    status: number,
    code: ErrorCode | null,
    offset: number,
  ][] = [
    ["at the right offset", (path) => tus.patch(path, 5, hello), 204, null, 10],
    ["with less than is left", (path) => tus.patch(path, 5, hello.subarray(0, 2)), 204, null, 7],
    ["with nothing", (path) => tus.patch(path, 5), 204, null, 5],
    ["before the offset", (path) => tus.patch(path, 4, hello), 409, "wrong_offset", 5],
    ["behind the offset", (path) => tus.patch(path, 6, hello), 409, "wrong_offset", 5],
    [
      "without an offset",
      (path) => tus.patch(path, 5, hello, { "Upload-Offset": "" }),
      400,
      "bad_request",
      5,
    ],
    ["far behind", (path) => tus.patch(path, 2 ** 60, hello), 409, "wrong_offset", 5],
    ["at a negative offset", (path) => tus.patch(path, -1, hello), 400, "bad_request", 5],
    [
      "with another Content-Type",
      (path) => tus.patch(path, 5, hello, { "Content-Type": "text/plain" }),
      415,
      "unsupported_media_type",
      5,
    ],
    [
      "with an encoded body",
      (path) => tus.patch(path, 5, hello, { "Content-Encoding": "gzip" }),
      400,
      "bad_request",
      5,
    ],
    [
      "in another version",
      (path) => tus.patch(path, 5, hello, { "Tus-Resumable": "1.0.1" }),
      412,
      "unsupported_version",
      5,
    ],
    ["that announces too much", (path) => tus.patch(path, 5, bytesOf(6)), 413, "file_too_large", 5],
    [
      "with another length than before",
      (path) => tus.patch(path, 5, hello, { "Upload-Length": "11" }),
      400,
      "bad_request",
      5,
    ],
    ["with the same length", (path) => tus.patch(path, 5, hello, { "Upload-Length": "10" }), 204, null, 10],
    [
      "with a right sha1",
      (path) => tus.patch(path, 5, hello, { "Upload-Checksum": checksum("sha1", hello) }),
      204,
      null,
      10,
    ],
    [
      "with a right sha256",
      (path) => tus.patch(path, 5, hello, { "Upload-Checksum": checksum("sha256", hello) }),
      204,
      null,
      10,
    ],
    [
      "with a wrong sha1",
      (path) => tus.patch(path, 5, hello, { "Upload-Checksum": checksum("sha1", bytesOf(5)) }),
      460,
      "wrong_checksum",
      5,
    ],
    [
      "with md5",
      (path) => tus.patch(path, 5, hello, { "Upload-Checksum": checksum("md5", hello) }),
      400,
      "bad_request",
      5,
    ],
    [
      "with a sum that is none",
      (path) => tus.patch(path, 5, hello, { "Upload-Checksum": "sha1 abc" }),
      400,
      "bad_request",
      5,
    ],
    [
      "as POST with the method in a header",
      (path) =>
        world.ask(path, {
          method: "POST",
          headers: {
            ...version,
            "X-HTTP-Method-Override": "PATCH",
            "Upload-Offset": "5",
            "Content-Type": pieceType,
          },
          body: hello,
        }),
      204,
      null,
      10,
    ],
    [
      "as POST without",
      (path) => world.ask(path, { method: "POST", headers: version, body: hello }),
      405,
      "method_not_allowed",
      5,
    ],
    ["as PUT", (path) => world.ask(path, { method: "PUT", headers: version }), 405, "method_not_allowed", 5],
  ];
  test.each(cases)("%s", async (_what, patch, status, code, offset) => {
    let path = await begun();
    let response = await patch(path);
    expect(response.headers.get("Tus-Resumable")).toBe("1.0.0");
    if (code === null) {
      expect([response.status, offsetOf(response)]).toEqual([status, offset]);
      expect(await response.text()).toBe("");
    } else await expectError(response, status, code);
    expect(offsetOf(await tus.head(path))).toBe(offset);
  });

  test("after a wrong checksum goes on as if nothing had come", async () => {
    let path = await begun(10);
    let wrong = { "Upload-Checksum": checksum("sha256", hello) };
    await expectError(await tus.patch(path, 5, bytesOf(5), wrong), 460, "wrong_checksum");
    let last = await tus.patch(path, 5, hello);
    expect((await fileOf(last))["checksum_sha256"]).toBe(sha256Of(Buffer.concat([hello, hello])));
  });

  test("the last one answers with the file, in JSON when asked", async () => {
    let path = await begun();
    let response = await tus.patch(path, 5, hello, { Accept: "application/json" });
    expect(response.status).toBe(200);
    expect(offsetOf(response)).toBe(10);
    let body = (await response.json()) as { file_id: number; url: string; file: object; files: object[] };
    expect(body).toMatchObject({ success: true, file: { size_bytes: 10, filename: "a.txt" } });
    expect(body.files).toHaveLength(1);
    expect(response.headers.get("S3-Uploads-File-Id")).toBe(String(body.file_id));
  });

  test("of an unknown upload is 404", async () => {
    let response = await tus.patch(`${testBase}/tus/${Bun.randomUUIDv7()}`, 0, hello);
    await expectError(response, 404, "not_found");
    await expectError(await tus.patch(`${testBase}/tus/abc`, 0, hello), 404, "not_found");
    let other = await world.ask(`${testBase}/tus/x.y`, { method: "PATCH", headers: version });
    await expectError(other, 404, "not_found");
  });

  test("repeated after the last one is answered like it, and with other bytes refused", async () => {
    let path = await begun(5);
    let again = await tus.patch(path, 5);
    expect([again.status, again.headers.has("S3-Uploads-File-Id")]).toEqual([204, true]);
    await expectError(await tus.patch(path, 0, hello), 409, "wrong_offset");
    await expectError(await tus.patch(path, 5, hello), 413, "file_too_large");
  });

  test("longer than was announced ends the upload; nothing of the rest is kept", async () => {
    let path = await begun();
    let endless = new ReadableStream<Uint8Array>({ pull: (one) => one.enqueue(bytesOf(4)) });
    await expectError(await tus.patch(path, 5, endless), 413, "file_too_large");
    await expectError(await tus.patch(path, 9), 410, "gone");
  });

  test("of a type that is not allowed ends the upload at the first chunk that shows it", async () => {
    let path = await tus.begin(500_000, "a.txt");
    let zeros = new Uint8Array(300_000);
    zeros.set(Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"));
    let body = await expectError(await tus.patch(path, 0, zeros), 415, "type_not_allowed");
    expect(body.error).toMatchObject({ found_type: "image/png", filename: "a.txt" });
    expect((await tus.head(path)).status).toBe(410);
  });
});

describe("a length that is told later", () => {
  test("is not told by HEAD until it is known", async () => {
    let path = await deferred();
    expect((await tus.head(path)).headers.get("Upload-Defer-Length")).toBe("1");
    await tus.patch(path, 0, hello, { "Upload-Length": "10" });
    let { headers } = await tus.head(path);
    expect([headers.get("Upload-Length"), headers.get("Upload-Defer-Length")]).toEqual(["10", null]);
  });

  test("may come at the very end", async () => {
    let path = await deferred();
    expect((await tus.patch(path, 0, hello)).headers.has("S3-Uploads-File-Id")).toBe(false);
    let last = await tus.patch(path, 5, "", { "Upload-Length": "5", "Content-Length": "0" });
    expect(await fileOf(last)).toMatchObject({ size_bytes: 5 });
  });

  test("can't be less than what is there, nor more than is allowed", async () => {
    let path = await deferred();
    await tus.patch(path, 0, hello);
    await expectError(await tus.patch(path, 5, "", { "Upload-Length": "4" }), 400, "bad_request");
    let tooMuch = { "Upload-Length": String(maxFileBytes + 1) };
    await expectError(await tus.patch(path, 5, "", tooMuch), 413, "file_too_large");
    expect(offsetOf(await tus.head(path))).toBe(5);
  });

  test("that is never told ends where the largest file ends", async () => {
    let path = await deferred();
    expect((await tus.patch(path, 0, bytesOf(maxFileBytes))).status).toBe(204);
    let endless = new ReadableStream<Uint8Array>({ pull: (one) => one.enqueue(bytesOf(5)) });
    await expectError(await tus.patch(path, maxFileBytes, endless), 413, "file_too_large");
    expect((await tus.head(path)).status).toBe(410);
  });
});

describe("an end", () => {
  test("by DELETE is 204, and 410 from then on", async () => {
    let path = await begun();
    let response = await tus.terminate(path);
    expect([response.status, response.headers.get("Tus-Resumable")]).toEqual([204, "1.0.0"]);
    expect((await tus.head(path)).status).toBe(410);
    await expectError(await tus.patch(path, 5, hello), 410, "gone");
    await expectError(await tus.terminate(path), 410, "gone");
  });

  test("by POST with the method in a header is the same", async () => {
    let headers = { ...version, "X-HTTP-Method-Override": "DELETE" };
    expect((await world.ask(await begun(), { method: "POST", headers })).status).toBe(204);
  });

  test("is not for a file that is recorded", async () => {
    let path = await begun(5);
    await expectError(await tus.terminate(path), 403, "permission_denied");
    expect(await fileOf(await tus.head(path))).toMatchObject({ size_bytes: 5 });
  });

  test("of its file makes a finished upload 410", async () => {
    let path = await begun(5);
    let id = (await tus.head(path)).headers.get("S3-Uploads-File-Id");
    await world.ask(`${testBase}/files/${id}`, { method: "DELETE" });
    expect((await tus.head(path)).status).toBe(410);
  });
});

describe("time", () => {
  test("ends an upload a day after its last byte, and forgets it another day later", async () => {
    let path = await begun();
    let finished = await begun(5);
    world.passTime(DAY_MS - 1000);
    expect((await tus.patch(path, 5, hello.subarray(0, 1))).status).toBe(204);
    world.passTime(2000);
    expect(offsetOf(await tus.head(path))).toBe(6);
    await eventually(
      async () => (await tus.head(finished)).status,
      (status) => status === 404,
    );
    world.passTime(DAY_MS);
    await eventually(
      async () => (await tus.head(path)).status,
      (status) => status === 410,
    );
    world.passTime(DAY_MS + 1000);
    await eventually(
      async () => (await tus.head(path)).status,
      (status) => status === 404,
    );
  });
});
