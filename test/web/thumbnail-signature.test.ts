import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createThumbnailSignature } from "../../src/auth/thumbnail-signature.ts";
import type { FileRecord } from "../../src/domain.ts";
import { openSecretFile } from "../../src/state/secret-file.ts";
import { createTestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

const signature = createThumbnailSignature(new Uint8Array(32).fill(7));
const picture = new Uint8Array([1, 2, 3]);
const nobody = createTestApp({
  anonymousScopes: [],
  thumbnailSignature: signature,
  thumbnails: { get: async ({ filename }) => (filename === "x.png" ? picture : null) },
});
let file: FileRecord;
beforeAll(async () => {
  file = await nobody.addFile("x", { filename: "x.png", kind: "image", content_type: "image/png" });
});
afterAll(() => nobody.close());

test("opens a thumbnail by uid to whoever has the address, on pages of other sites as well", async () => {
  let response = await nobody.ask(`/files/${file.uid}/thumbnail?signature=${signature.value}`);
  expect(response.status).toBe(200);
  expect(await response.bytes()).toEqual(picture);
  expect(response.headers.get("Cross-Origin-Resource-Policy")).toBe("cross-origin");
  expect(response.headers.get("Cache-Control")).toContain("private");
  let etag = response.headers.get("ETag") ?? "";
  let again = await nobody.ask(`/files/${file.uid}/thumbnail?signature=${signature.value}`, {
    headers: { "If-None-Match": etag },
  });
  expect(again.status).toBe(304);
  expect(again.headers.get("Cross-Origin-Resource-Policy")).toBe("cross-origin");
});

test("opens nothing by number, which could be counted up, and nothing but thumbnails", async () => {
  let query = `?signature=${signature.value}`;
  for (let path of [
    `/files/${file.id}/thumbnail`,
    `/files/${file.uid}/download`,
    `/files/${file.uid}`,
    `/files/${file.uid}.json`,
    "/files.json",
  ]) {
    await expectError(await nobody.ask(path + query), 401, "authentication_required");
  }
});

test.each([
  "",
  "?signature=",
  "?signature=x",
  `?signature=${"A".repeat(43)}`,
  `?signature=${createThumbnailSignature(new Uint8Array(32)).value}`,
  `?signature=${signature.value.slice(0, -2)}`,
  `?Signature=${signature.value}`,
])("is not %j", async (query) => {
  let response = await nobody.ask(`/files/${file.uid}/thumbnail${query}`);
  await expectError(response, 401, "authentication_required");
});

test("tells of a file that is not there only that", async () => {
  let path = `/files/${Bun.randomUUIDv7()}/thumbnail?signature=${signature.value}`;
  await expectError(await nobody.ask(path), 404, "not_found");
});

test("leaves thumbnails of whoever may view to their own site", async () => {
  let open = createTestApp({ thumbnails: { get: async () => picture } });
  let added = await open.addFile("x");
  let response = await open.ask(`/files/${added.uid}/thumbnail`);
  expect([response.status, response.headers.get("Cross-Origin-Resource-Policy")]).toEqual([
    200,
    "same-origin",
  ]);
  open.close();
});

test("comes from a secret that is kept, for the owner alone, and made anew when it is lost or broken", () => {
  let folder = mkdtempSync(join(tmpdir(), "secret-"));
  let path = join(folder, "internal", "thumbnail-secret");
  let first = openSecretFile(path);
  expect(first).toHaveLength(32);
  expect(openSecretFile(path)).toEqual(first);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(path, "");
  let second = openSecretFile(path);
  expect(second).toHaveLength(32);
  expect(second).not.toEqual(first);
  rmSync(folder, { recursive: true });
});
