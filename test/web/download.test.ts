import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import type { FileRecord } from "../../src/domain.ts";
import type { Storage } from "../../src/store/storage.ts";
import { KIB } from "../../src/units.ts";
import { createTestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

let { ask, addFile, storage, close } = createTestApp();
afterAll(close);
const text = "0123456789";
let file: FileRecord;
let address: string;
beforeAll(async () => {
  file = await addFile(text, { filename: "digits.txt" });
  address = `/files/${file.id}/download`;
});

const get = (headers: Record<string, string> = {}, method = "GET") => ask(address, { method, headers });

test("the whole file, with everything that a client can use later", async () => {
  let response = await get();
  expect(response.status).toBe(200);
  let headers = Object.fromEntries(response.headers);
  expect(headers).toMatchObject({
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "content-disposition": `inline; filename="digits.txt"; filename*=UTF-8''digits.txt`,
    "content-length": "10",
    "content-type": "text/plain; charset=utf-8",
    "cross-origin-resource-policy": "same-origin",
    etag: `"${file.checksum_sha256}"`,
    "last-modified": "Mon, 23 Nov 2026 20:30:00 GMT",
    "x-content-type-options": "nosniff",
  });
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none';.*; sandbox$/);
  expect(await response.text()).toBe(text);
});

test("the uid names it as well", async () => {
  expect(await (await ask(`/files/${file.uid}/download`)).text()).toBe(text);
  expect((await ask(`/files/${file.uid.toUpperCase()}.json`)).status).toBe(200);
});

test("HEAD says the same without bytes, and ignores Range", async () => {
  let response = await get({ Range: "bytes=0-1" }, "HEAD");
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Length")).toBe("10");
  expect(response.headers.get("ETag")).toBe(`"${file.checksum_sha256}"`);
  expect(await response.text()).toBe("");
});

describe("Range", () => {
  test.each([
    ["bytes=0-0", "0", "bytes 0-0/10"],
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-99", text, "bytes 0-9/10"],
    ["bytes=5-99", "56789", "bytes 5-9/10"],
    ["BYTES= 1-2", "12", "bytes 1-2/10"],
  ])("%s: 206", async (range, part, contentRange) => {
    let response = await get({ Range: range });
    expect(response.status).toBe(206);
    expect(response.headers.get("Content-Range")).toBe(contentRange);
    expect(response.headers.get("Content-Length")).toBe(String(part.length));
    expect(await response.text()).toBe(part);
  });

  test.each(["bytes=0-1,4-5", "bytes=4-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes", "bytes=1-2-3", ""])(
    "%p: the whole",
    async (range) => {
      let response = await get({ Range: range });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(text);
    },
  );

  test.each(["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999-"])(
    "%s: 416",
    async (range) => {
      let response = await get({ Range: range });
      expect(response.headers.get("Content-Range")).toBe("bytes */10");
      let body = await expectError(response, 416, "invalid_parameter");
      expect(body.error["parameter"]).toBe("Range");
    },
  );

  test("of an empty file nothing can be had", async () => {
    let empty = await addFile("", { filename: "empty" });
    expect((await ask(`/files/${empty.id}/download`)).headers.get("Content-Length")).toBe("0");
    let response = await ask(`/files/${empty.id}/download`, { headers: { Range: "bytes=0-" } });
    await expectError(response, 416, "invalid_parameter");
  });

  test("If-Range: the part only for one who holds the rest of the same", async () => {
    let Range = "bytes=2-4";
    for (let held of [`"${file.checksum_sha256}"`, "Mon, 23 Nov 2026 20:30:00 GMT"]) {
      expect((await get({ Range, "If-Range": held })).status).toBe(206);
    }
    for (let other of [`"other"`, `W/"${file.checksum_sha256}"`, "Mon, 23 Nov 2026 20:30:01 GMT", "x"]) {
      expect((await get({ Range, "If-Range": other })).status).toBe(200);
    }
  });
});

describe("conditions", () => {
  test.each([
    ["*", 304],
    ["SHA", 304],
    ["W/SHA", 304],
    [`"other", SHA`, 304],
    [`"other"`, 200],
    ["", 200],
  ])("If-None-Match %s: %d", async (template, status) => {
    let tag = template.replace("SHA", `"${file.checksum_sha256}"`);
    let response = await get({ "If-None-Match": tag, Range: "bytes=99-" }, "HEAD");
    expect(response.status).toBe(status);
    if (status === 304) expect(response.headers.get("ETag")).toBe(`"${file.checksum_sha256}"`);
  });

  test.each([
    ["If-Match", "*", 206],
    ["If-Match", `"other", SHA`, 206],
    ["If-Match", `"other"`, 412],
    ["If-Match", "W/SHA", 412],
    ["If-Unmodified-Since", "Mon, 23 Nov 2026 20:30:00 GMT", 206],
    ["If-Unmodified-Since", "Mon, 23 Nov 2026 20:29:59 GMT", 412],
    ["If-Unmodified-Since", "nonsense", 206],
  ])("%s %s: %d, so that nobody goes on with another file", async (name, template, status) => {
    let response = await get({
      [name]: template.replace("SHA", `"${file.checksum_sha256}"`),
      Range: "bytes=0-1",
    });
    expect(response.status).toBe(status);
    if (status !== 412) return;
    let body = await expectError(response, 412, "invalid_parameter");
    expect(body.error["parameter"]).toBe(name);
  });

  test("If-Modified-Since counts where If-None-Match is absent", async () => {
    let at = "Mon, 23 Nov 2026 20:30:00 GMT";
    expect((await get({ "If-Modified-Since": at })).status).toBe(304);
    expect((await get({ "If-Modified-Since": "Mon, 23 Nov 2026 20:29:59 GMT" })).status).toBe(200);
    expect((await get({ "If-Modified-Since": "nonsense" })).status).toBe(200);
    expect((await get({ "If-Modified-Since": at, "If-None-Match": `"other"` })).status).toBe(200);
  });
});

test.each([
  ["image/png", "inline"],
  ["image/apng", "inline"],
  ["image/jpeg", "inline"],
  ["application/pdf", "inline"],
  ["video/mp4", "inline"],
  ["text/plain", "inline"],
  ["image/svg+xml", "attachment"],
  ["text/html", "attachment"],
  ["application/xhtml+xml", "attachment"],
  ["text/xml", "attachment"],
  ["application/xml", "attachment"],
  ["text/javascript", "attachment"],
  ["application/octet-stream", "attachment"],
  ["application/zip", "attachment"],
])("%s is sent %s, and sandboxed in any case", async (type, kind) => {
  let made = await addFile("x", { content_type: type });
  let { headers } = await ask(`/files/${made.id}/download`);
  expect(headers.get("Content-Disposition")).toStartWith(`${kind}; `);
  // Never as something that a page of ours would run.
  expect(headers.get("Content-Type")).toStartWith(type === "text/javascript" ? "text/plain" : type);
  let player = type === "video/mp4" ? " allow-same-origin" : "";
  expect(headers.get("Content-Security-Policy")).toEndWith(`; sandbox${player}`);
  expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
});

test("an object that is gone from storage: 410", async () => {
  let lost = await addFile("x");
  await storage.delete(lost.s3_key);
  await expectError(await ask(`/files/${lost.id}/download`), 410, "gone");
});

test("an object that is not as long as recorded is a fault, not a download", async () => {
  let odd = await addFile("x", { size_bytes: 500 });
  await expectError(await ask(`/files/${odd.id}/download`), 502, "storage_error");
});

test("redirect mode sends the client to storage, for a while and uncached; HEAD is answered here", async () => {
  let presigned: unknown[] = [];
  let presigning: Storage = {
    ...storage,
    presign: async (key, options) => {
      presigned.push({ key, ...options });
      return "https://bucket.example/object?signature";
    },
  };
  let app = createTestApp({ options: { downloadMode: "redirect" }, storageFor: () => presigning });
  let made = await app.addFile("x", { filename: "naïve ☃.svg", content_type: "image/svg+xml" });
  let response = await app.ask(`/files/${made.id}/download`);
  expect(response.status).toBe(302);
  expect(response.headers.get("Location")).toBe("https://bucket.example/object?signature");
  expect(response.headers.get("Cache-Control")).toBe("private, no-store");
  expect(presigned).toEqual([
    {
      key: made.s3_key,
      expiresSeconds: 300,
      contentType: "image/svg+xml",
      contentDisposition: `attachment; filename="naive _.svg"; filename*=UTF-8''na%C3%AFve%20%E2%98%83.svg`,
    },
  ]);
  expect((await app.ask(`/files/${made.id}/download`, { method: "HEAD" })).status).toBe(200);
  app.close();
});

test("redirect mode still serves what storage can't presign", async () => {
  let app = createTestApp({ options: { downloadMode: "redirect" } });
  let made = await app.addFile("local bytes");
  expect(await (await app.ask(`/files/${made.id}/download`)).text()).toBe("local bytes");
  app.close();
});

test("Bun's idle timer is off while the body lasts, and back at its end", async () => {
  let calls: number[] = [];
  let env = { timeout: (_request: Request, seconds: number) => calls.push(seconds) };
  let long = await addFile("x".repeat(300 * KIB));
  let response = await ask(`/files/${long.id}/download`, { env });
  expect(calls.at(-1)).toBe(0);
  await response.text();
  expect(calls.at(-1)).toBe(255);
  await ask("/files/999/download", { env });
  expect(calls.at(-1)).toBe(255);
});
