import { afterEach, expect, test } from "bun:test";

import { AppError } from "../../src/errors.ts";
import { createTestApp } from "../support/app.ts";
import type { TestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";
import { deleteBody } from "../support/json-bodies.ts";

let open: TestApp[] = [];
afterEach(() => open.splice(0).forEach((app) => app.close()));

async function withFiles(count: number, overrides?: Parameters<typeof createTestApp>[0]) {
  let app = createTestApp(overrides);
  open.push(app);
  for (let i = 1; i <= count; i += 1) await app.addFile(String(i), { filename: `${i}.txt` });
  return app;
}

const browser = { Accept: "text/html,*/*;q=0.8" };
const htmx = { Accept: "text/html", "HX-Request": "true", "HX-Request-Type": "partial" };

function form(...ids: (string | number)[]): RequestInit & { headers: Record<string, string> } {
  let body = ids.map((id) => `id=${id}`).join("&");
  return { method: "POST", body, headers: { "Content-Type": "application/x-www-form-urlencoded" } };
}

const ids = async ({ repository }: TestApp) => (await repository.list({})).rows.map((row) => row.id);

test("DELETE and POST …/delete remove a file, once", async () => {
  let app = await withFiles(2);
  let response = await app.ask("/files/1", { method: "DELETE" });
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('{"success":true,"deleted":[1]}\n');
  await expectError(await app.ask("/files/1", { method: "DELETE" }), 404, "not_found");
  expect(await (await app.ask("/files/2/delete", { method: "POST" })).json()).toEqual({
    success: true,
    deleted: [2],
  });
  await expectError(await app.ask("/files/2/delete", { method: "POST" }), 404, "not_found");
  expect(await ids(app)).toEqual([]);
});

test("a browser is sent back to the list; htmx gets nothing in place of the row", async () => {
  let app = await withFiles(2);
  let page = await app.ask("/files/1/delete", { method: "POST", headers: browser });
  expect(page.status).toBe(303);
  expect(page.headers.get("Location")).toBe("/-/s3-uploads/files");
  let fragment = await app.ask("/files/2/delete", { method: "POST", headers: htmx });
  expect(fragment.status).toBe(200);
  expect(await fragment.text()).toBe("");
});

test("many at once, by id or uid, each once", async () => {
  let app = await withFiles(4);
  let uid = (await app.repository.get(3))?.uid ?? "";
  let response = await app.ask("/files/delete", form(1, 1, uid));
  expect(response.status).toBe(200);
  let body = await deleteBody(response);
  expect(body.deleted.toSorted()).toEqual([1, 3]);
  expect(body).not.toHaveProperty("failed");
  expect(await ids(app)).toEqual([4, 2]);
});

test("some of many: 207 that tells which were not", async () => {
  let app = await withFiles(1);
  let response = await app.ask("/files/delete", form(1, 99));
  expect(response.status).toBe(207);
  expect(await response.json()).toMatchObject({
    success: true,
    deleted: [1],
    failed: [{ id: "99", error: { code: "not_found" } }],
  });
});

test("none of many: the first failure is the request's", async () => {
  let app = await withFiles(0, {
    deleteFile: async () => {
      throw new AppError("storage_unavailable", "10.0.0.7 is down.");
    },
  });
  let body = await expectError(await app.ask("/files/delete", form(1, 2)), 503, "storage_unavailable");
  expect(body["failed"]).toMatchObject([{ id: "1" }, { id: "2" }]);
  expect(JSON.stringify(body)).not.toContain("10.0.0.7");
});

test.each([
  ["no id", form(), "invalid_parameter"],
  ["something that is no id", form(1, "x"), "invalid_parameter"],
  ["more than a thousand", form(...Array.from({ length: 1001 }, (_, i) => i + 1)), "invalid_parameter"],
  ["JSON", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }, "bad_request"],
  ["a body without an end", form(`1&x=${"x".repeat(70_000)}`), "bad_request"],
] as const)("%s: 400 and nothing deleted", async (_what, init, code) => {
  let app = await withFiles(1);
  await expectError(await app.ask("/files/delete", init), 400, code);
  expect(await ids(app)).toEqual([1]);
});

test("a browser gets the list, or a page when some were not deleted; htmx orders to remove the rows", async () => {
  let app = await withFiles(3);
  let as = (headers: Record<string, string>, ...which: number[]) => {
    let init = form(...which);
    return app.ask("/files/delete", { ...init, headers: { ...init.headers, ...headers } });
  };
  expect((await as(browser, 1)).status).toBe(303);
  let page = await as(browser, 2, 99);
  expect(page.status).toBe(207);
  expect(await page.text()).toContain("File 99: ");
  let fragment = await (await as(htmx, 3, 98)).text();
  expect(fragment).toContain('<hx-partial hx-target="#file-3" hx-swap="delete">');
  expect(fragment).toContain("File 98: ");
});
