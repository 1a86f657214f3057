import { afterEach, describe, expect, test } from "bun:test";

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

test("DELETE is at once, whoever asks", async () => {
  let app = await withFiles(1);
  let response = await app.ask("/files/1", { method: "DELETE", headers: browser });
  expect(await response.json()).toEqual({ success: true, deleted: [1] });
  await expectError(await app.ask("/files/restore", form(1)), 410, "gone");
});

function parts(...which: (number | string | File)[]): RequestInit {
  let body = new FormData();
  for (let id of which) body.append("id", typeof id === "number" ? String(id) : id);
  return { method: "POST", body };
}

/** As a form or htmx sends it. */
function sent(headers: Record<string, string>, body = ""): RequestInit {
  let type = "application/x-www-form-urlencoded";
  return { method: "POST", body, headers: { "Content-Type": type, ...headers } };
}

describe("a deletion from a page", () => {
  test("leads back to the list it came from, which offers to undo it", async () => {
    let app = await withFiles(2);
    let list = new URLSearchParams({ list: "_sort=filename&view=grid&evil=//example.com" });
    let answer = await app.ask("/files/1/delete", sent(browser, list.toString()));
    expect(answer.status).toBe(303);
    let location = answer.headers.get("Location") ?? "";
    expect(location).toMatch(/^\/-\/s3-uploads\/files\?_sort=filename&view=grid&_deleted=[0-9a-f-]{36}$/);
    let html = await (await app.ask(location.replace("/-/s3-uploads", ""), { headers: browser })).text();
    expect(html).toContain("1 file deleted.");
    expect(html).toContain('<form method="post" action="/-/s3-uploads/files/restore"');
    expect(html).toContain('<input type="hidden" name="id" value="1"/>');
    expect(html).toMatch(/data-seconds="(29|30)"/);
    expect(html).not.toContain('id="file-1"');
  });

  test("is undone whole, by a form, by htmx or by JSON", async () => {
    let app = await withFiles(3);
    for (let id of [1, 2, 3]) await app.ask(`/files/${id}/delete`, sent(browser));
    expect(await ids(app)).toEqual([]);
    expect((await app.ask("/files/1/download")).status).toBe(404);
    let page = await app.ask("/files/restore", sent(browser, "id=1&list=kind%3Dtext"));
    expect([page.status, page.headers.get("Location")]).toEqual([303, "/-/s3-uploads/files?kind=text"]);
    let fragment = await app.ask("/files/restore", sent(htmx, "id=2"));
    expect(fragment.headers.get("HX-Trigger")).toBe("filesChanged");
    expect(await fragment.text()).toContain("1 file is back.");
    expect(await (await app.ask("/files/restore", form(3))).json()).toEqual({ success: true, restored: [3] });
    expect(await ids(app)).toEqual([3, 2, 1]);
    expect(await (await app.ask("/files/1/download")).text()).toBe("1");
  });

  test("some of which can't be undone: 207 that tells which", async () => {
    let app = await withFiles(1);
    await app.ask("/files/1/delete", sent(browser));
    let page = await app.ask("/files/restore", sent(browser, "id=1&id=99"));
    expect(page.status).toBe(207);
    let html = await page.text();
    expect(html).toContain("Not every file is back");
    expect(html).toContain("File 99: The time to undo this is over");
    let body = await expectError(await app.ask("/files/restore", form(99)), 410, "gone");
    expect(body["failed"]).toMatchObject([{ id: "99" }]);
    await expectError(await app.ask("/files/restore", form("x")), 400, "invalid_parameter");
  });

  test("gives htmx the notice, an order to remove the row, and a sign that the list has changed", async () => {
    let app = await withFiles(1);
    let response = await app.ask("/files/1/delete", sent(htmx));
    expect(response.headers.get("HX-Trigger")).toBe("filesChanged");
    let fragment = await response.text();
    expect(fragment).toContain("1 file deleted.");
    expect(fragment).toContain('<hx-partial hx-target="#file-1" hx-swap="delete">');
    await expectError(await app.ask("/files/1/delete", form()), 404, "not_found");
  });

  test("of several asks first how many, by name, and deletes when it is confirmed", async () => {
    let app = await withFiles(25);
    let all = Array.from({ length: 25 }, (_, i) => `id=${i + 1}`).join("&");
    let asked = await app.ask("/files/delete", sent(browser, `${all}&list=view%3Dgrid`));
    expect(asked.status).toBe(200);
    let html = await asked.text();
    expect(html).toContain("Delete 25 files?");
    expect(html).toContain("1.txt");
    expect(html).toContain("and 5 more.");
    expect(html).toContain('href="/-/s3-uploads/files?view=grid"');
    expect(await ids(app)).toHaveLength(25);
    let done = await app.ask("/files/delete", sent(browser, `${all}&confirmed=yes`));
    expect([done.status, (await ids(app)).length]).toEqual([303, 0]);
  });
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

test("what is told of several files is in the order of the request, whichever is done first", async () => {
  let app = await withFiles(3);
  let second = Promise.withResolvers<void>();
  let slow = await withFiles(3, {
    deleteFile: async (id) => {
      if (id === "1") await second.promise;
      else second.resolve();
      let row = await app.repository.get(id);
      if (!row) throw new AppError("not_found");
      return row;
    },
  });
  let response = await slow.ask("/files/delete", form(1, 2, 3));
  expect(await response.json()).toMatchObject({ deleted: [1, 2, 3] });
});

test("a thousand files can be named in a form of parts, as curl -F and FormData make it", async () => {
  let app = await withFiles(2);
  let { uid } = (await app.repository.get(2))!;
  let others = Array.from({ length: 998 }, () => Bun.randomUUIDv7());
  let response = await app.ask("/files/delete", parts(1, uid, ...others));
  expect(response.status).toBe(207);
  expect(await response.json()).toMatchObject({ deleted: [1, 2] });
});

test.each([
  ["no id", form(), "invalid_parameter"],
  ["something that is no id", form(1, "x"), "invalid_parameter"],
  ["more than a thousand", form(...Array.from({ length: 1001 }, (_, i) => i + 1)), "invalid_parameter"],
  ["JSON", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }, "bad_request"],
  ["a file among the fields", parts(1, new File(["x"], "x.txt")), "bad_request"],
  [
    "broken parts",
    { method: "POST", body: "x", headers: { "Content-Type": "multipart/form-data" } },
    "bad_request",
  ],
  ["a body without an end", form(`1&x=${"x".repeat(200_000)}`), "bad_request"],
] as const)("%s: 400 and nothing deleted", async (_what, init, code) => {
  let app = await withFiles(1);
  await expectError(await app.ask("/files/delete", init), 400, code);
  expect(await ids(app)).toEqual([1]);
});

test("a browser gets a page when some were not deleted, with an undo for the others; htmx gets both", async () => {
  let app = await withFiles(3);
  let as = (headers: Record<string, string>, ...which: (number | string)[]) => {
    let init = form(...which);
    return app.ask("/files/delete", { ...init, headers: { ...init.headers, ...headers } });
  };
  let page = await as(browser, 2, "99&confirmed=yes");
  expect(page.status).toBe(207);
  let html = await page.text();
  expect(html).toContain("File 99: ");
  expect(html).toContain('action="/-/s3-uploads/files/restore"');
  let fragment = await (await as(htmx, 3, 98)).text();
  expect(fragment).toContain('<hx-partial hx-target="#file-3" hx-swap="delete">');
  expect(fragment).toContain("File 98: ");
});
