import { afterEach, expect, test } from "bun:test";

import type { FileRecord } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import type { ReceiveUpload, UploadOutcome } from "../../src/receive-upload.ts";
import { createTestApp } from "../support/app.ts";
import type { TestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";
import { uploadBody } from "../support/json-bodies.ts";

let open: TestApp[] = [];
afterEach(() => open.splice(0).forEach((app) => app.close()));

function testApp(overrides?: Parameters<typeof createTestApp>[0]): TestApp {
  let app = createTestApp(overrides);
  open.push(app);
  return app;
}

function formOf(...files: [name: string, text: string][]): FormData {
  let form = new FormData();
  for (let [name, text] of files) form.append("any-field", new File([text], name));
  return form;
}

const browser = { Accept: "text/html,*/*;q=0.8" };
const htmx = { Accept: "text/html", "HX-Request": "true", "HX-Request-Type": "partial" };

test("a file by form: 201 with the row, and curl gets JSON with a newline without asking", async () => {
  let { ask } = testApp();
  let response = await ask("/upload", {
    method: "POST",
    body: formOf(["a.txt", "hello"]),
    headers: { Accept: "*/*" },
  });
  expect(response.status).toBe(201);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  let text = await response.text();
  expect(text.endsWith("}\n")).toBe(true);
  let body = JSON.parse(text);
  expect(body).toMatchObject({ success: true, file_id: 1, url: "/-/s3-uploads/files/1/download" });
  expect(body.file).toMatchObject({ id: 1, filename: "a.txt", size_bytes: 5, metadata: {}, url: body.url });
  expect(body.file).not.toHaveProperty("metadata_json");
  expect(body.files).toEqual([{ success: true, file_id: 1, url: body.url, file: body.file }]);
  expect(await (await ask("/files/1/download")).text()).toBe("hello");
});

test("links are absolute when public_url is set", async () => {
  let { ask } = testApp({ options: { publicUrl: "https://files.example.org/" } });
  let body = await uploadBody(await ask("/upload", { method: "POST", body: formOf(["a.txt", "x"]) }));
  expect(body.url).toBe("https://files.example.org/-/s3-uploads/files/1/download");
});

test("several files: the first fills the top level", async () => {
  let { ask } = testApp();
  let response = await ask("/upload", { method: "POST", body: formOf(["a", "1"], ["b", "2"], ["c", "1"]) });
  let body = await uploadBody(response);
  expect(response.status).toBe(201);
  expect(body.file_id).toBe(1);
  expect(body.files.map((file) => file.file_id)).toEqual([1, 2, 3]);
  expect(body.files.map((file) => file.duplicate_of)).toEqual([undefined, undefined, 1]);
});

test("a raw body: the name is the URL's, decoded once", async () => {
  let { ask } = testApp();
  let response = await ask("/upload/caf%C3%A9%2525%20%F0%9F%8E%89.txt", { method: "PUT", body: "hello" });
  expect(response.status).toBe(201);
  expect((await uploadBody(response)).file.filename).toBe("café%25 🎉.txt");
});

test("a raw body declared too large is refused without being read", async () => {
  let reads = 0;
  let body = new ReadableStream(
    {
      pull(controller) {
        reads += 1;
        controller.enqueue(new Uint8Array(1024));
      },
    },
    { highWaterMark: 0 },
  );
  let { ask, repository } = testApp({ options: { maxFileBytes: 1000 } });
  let headers = { "Content-Length": "1001" };
  let response = await ask("/upload/a.bin", { method: "PUT", body, headers });
  let { error } = await expectError(response, 413, "file_too_large");
  expect(error).toMatchObject({ filename: "a.bin", limit_bytes: 1000, actual_bytes: 1001 });
  expect(reads).toBe(0);
  expect(response.headers.get("Connection")).toBeNull();
  expect((await repository.list({})).rows).toEqual([]);
});

test("a form is not refused for its length, which says nothing about one file", async () => {
  let { ask } = testApp({ options: { maxFileBytes: 10 } });
  let body = formOf(["a", "12345678"], ["b", "12345678"]);
  expect((await ask("/upload", { method: "POST", body })).status).toBe(201);
});

test.each([
  ["no form", { body: "hello", headers: { "Content-Type": "text/plain" } }, "bad_request"],
  ["no file in it", { body: new FormData() }, "no_file"],
  [
    "a form that is cut off",
    { body: "--x\r\nContent-Dis", headers: { "Content-Type": "multipart/form-data; boundary=x" } },
    "malformed_multipart",
  ],
  [
    "an empty Idempotency-Key",
    { body: formOf(["a", "1"]), headers: { "Idempotency-Key": "" } },
    "invalid_parameter",
  ],
  [
    "a long one",
    { body: formOf(["a", "1"]), headers: { "Idempotency-Key": "x".repeat(256) } },
    "invalid_parameter",
  ],
  [
    "one that is not ASCII",
    { body: formOf(["a", "1"]), headers: { "Idempotency-Key": "é" } },
    "invalid_parameter",
  ],
] as const)("POST with %s: 400", async (_what, init, code) => {
  let { ask } = testApp();
  await expectError(await ask("/upload", { method: "POST", ...init }), 400, code);
});

test("a name that can't be used: 400 by PUT and, alone in a form, by POST", async () => {
  let { ask } = testApp();
  await expectError(await ask("/upload/%2e%2e%2f", { method: "PUT", body: "x" }), 400, "invalid_filename");
  let response = await ask("/upload", { method: "POST", body: formOf(["..", "x"]) });
  await expectError(response, 400, "invalid_filename");
});

const row = {
  id: 7,
  filename: "good.txt",
  content_type: "text/plain",
  kind: "text",
  metadata: {},
} as FileRecord;
const taken: UploadOutcome = {
  success: true,
  record: { ...row, size_bytes: 5, s3_key: "x.txt", created_at: "2026-01-01T00:00:00Z" },
  duplicateOf: 3,
};
const tooLarge: UploadOutcome = {
  success: false,
  filename: "big<b>.bin",
  error: new AppError("file_too_large", undefined, { details: { limit_bytes: 1, actual_bytes: 2 } }),
};
const stalled: UploadOutcome = {
  success: false,
  filename: "slow.bin",
  error: new AppError("upload_stalled"),
};
const broken: UploadOutcome = {
  success: false,
  filename: "x.bin",
  error: new AppError("storage_error", "10.0.0.7 said no."),
};

/** The outcome is given, so that what is looked at is the answer alone. */
function answering(...outcomes: UploadOutcome[]): TestApp {
  return testApp({ receiveUpload: async () => outcomes });
}
const post = (headers = {}) => ({ method: "POST", body: formOf(["a", "1"]), headers });

test("some files taken: 207, a success that tells about each", async () => {
  let response = await answering(tooLarge, taken, broken).ask("/upload", post());
  expect(response.status).toBe(207);
  let body = await uploadBody(response);
  expect(body).toMatchObject({ success: true, file_id: 7, duplicate_of: 3 });
  expect(body.files).toMatchObject([
    {
      success: false,
      filename: "big<b>.bin",
      error: { code: "file_too_large", limit_bytes: 1, filename: "big<b>.bin" },
    },
    { success: true, file_id: 7, duplicate_of: 3 },
    { success: false, error: { code: "storage_error", message: "The storage refused the file." } },
  ]);
});

test("one file refused: its own status and shape", async () => {
  let body = await expectError(await answering(tooLarge).ask("/upload", post()), 413, "file_too_large");
  expect(body).not.toHaveProperty("files");
  expect(body.error).toMatchObject({ filename: "big<b>.bin", limit_bytes: 1, actual_bytes: 2 });
});

test("every file refused: the first failure is the request's, and files tells about each", async () => {
  let body = await expectError(
    await answering(tooLarge, broken).ask("/upload", post()),
    413,
    "file_too_large",
  );
  expect(body["files"]).toMatchObject([
    { success: false, error: { code: "file_too_large" } },
    { success: false, error: { code: "storage_error", message: "The storage refused the file." } },
  ]);
});

test("a stalled sender is told and cut, alone or beside others", async () => {
  let alone = await answering(stalled).ask("/upload", post());
  expect(alone.headers.get("Connection")).toBe("close");
  await expectError(alone, 408, "upload_stalled");
  let beside = await answering(taken, stalled).ask("/upload", post());
  expect(beside.status).toBe(207);
  expect(beside.headers.get("Connection")).toBe("close");
});

test("Bun's idle timer is off during an upload, back afterwards, and untouched by a refusal", async () => {
  let calls: unknown[] = [];
  let env = { timeout: (_request: Request, seconds: number) => calls.push(seconds) };
  let receiveUpload: ReceiveUpload = async () => {
    calls.push("received");
    throw new AppError("upload_stalled");
  };
  let { ask } = testApp({ receiveUpload });
  await ask("/upload", { ...post(), env });
  expect(calls).toEqual([0, "received", 10]);
  calls.length = 0;
  await ask("/upload/a", { method: "PUT", body: "x", headers: { "Content-Length": "99999999" }, env });
  await ask("/upload/a", { method: "PUT", body: "x", headers: { "Sec-Fetch-Site": "cross-site" }, env });
  expect(calls).toEqual([]);
});

test("the key and a log with the request's id reach the upload", async () => {
  let seen: (string | null)[] = [];
  let receiveUpload: ReceiveUpload = async (_files, { idempotencyKey }) => {
    seen.push(idempotencyKey);
    return [taken];
  };
  let { ask } = testApp({ receiveUpload });
  await ask("/upload", post({ "Idempotency-Key": "a key, with ~ everything!" }));
  await ask("/upload/a", { method: "PUT", body: "x" });
  expect(seen).toEqual(["anybody a key, with ~ everything!", null]);
});

test("a silent sender is told 408", async () => {
  let { ask } = testApp({ options: { stallTimeoutMs: 50 } });
  let body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
  await expectError(await ask("/upload/a", { method: "PUT", body }), 408, "upload_stalled");
});

/** Where a form's answer leads a browser, relative to the base path. */
async function receiptOf(answer: Response): Promise<string> {
  expect(answer.status).toBe(303);
  let address = answer.headers.get("Location") ?? "";
  expect(address).toMatch(/^\/-\/s3-uploads\/uploaded\/[0-9a-f-]{36}$/);
  return address.slice("/-/s3-uploads".length);
}

test("a browser is led to a page about every file, which a reload shows again", async () => {
  let { ask } = answering(tooLarge, taken);
  let receipt = await receiptOf(await ask("/upload", post(browser)));
  let page = await ask(receipt, { headers: browser });
  expect(page.status).toBe(200);
  let html = await page.text();
  expect(await (await ask(receipt, { headers: browser })).text()).toBe(html);
  expect(html).toStartWith("<!doctype html>");
  expect(html).toContain("1 of 2 files stored");
  expect(html).toContain("big&lt;b&gt;.bin");
  expect(html).toContain('href="/-/s3-uploads/files/7"');
  expect(html).toContain('href="/-/s3-uploads/files/3"');
});

test("htmx gets a fragment about every file", async () => {
  let fragment = await answering(tooLarge, taken).ask("/upload", post(htmx));
  expect(fragment.status).toBe(207);
  expect(fragment.headers.get("HX-Trigger")).toBe("filesChanged");
  expect(await fragment.text()).toStartWith("<ul");
});

test("a browser is told why every file was refused", async () => {
  let { ask } = answering(tooLarge, broken);
  let receipt = await receiptOf(await ask("/upload", post(browser)));
  expect(await (await ask(receipt, { headers: browser })).text()).toContain("Upload refused");
});

test("what became of an upload is told to nobody who guesses, nor to one who may not upload", async () => {
  let guess = "/uploaded/00000000-0000-4000-8000-000000000000";
  await expectError(await testApp().ask(guess), 404, "not_found");
  await expectError(await testApp({ anonymousScopes: ["view"] }).ask(guess), 401, "authentication_required");
});

test("the upload page is a form that works without scripts, with the newest files", async () => {
  let { ask, addFile } = testApp();
  await addFile("x", { filename: `"><script>alert(1)</script>.txt` });
  let html = await (await ask("/", { headers: browser })).text();
  expect(html).toContain(
    'id="upload" class="drop" method="post" action="/-/s3-uploads/upload" enctype="multipart/form-data"',
  );
  expect(html).toMatch(/<label for="file">/);
  expect(html).toContain("&lt;script&gt;");
  expect(html).not.toContain("<script>alert");
});

test("who may only upload sees no files and no way to them", async () => {
  let { ask, addFile } = testApp({ anonymousScopes: ["upload"] });
  await addFile("x", { filename: "secret.txt" });
  let html = await (await ask("/", { headers: browser })).text();
  expect(html).not.toContain("secret.txt");
  expect(html).not.toContain("/files");
});
