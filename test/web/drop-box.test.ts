import { afterAll, describe, expect, test } from "bun:test";

import { AppError } from "../../src/errors.ts";
import { createTestApp, testBase } from "../support/app.ts";

/** `allow_anonymous: upload`: everybody may send, and nobody in particular may see. */
let box = createTestApp({ anonymousScopes: ["upload"] });
afterAll(() => box.close());

const page = { Accept: "text/html" };

function form(...names: string[]): FormData {
  let body = new FormData();
  for (let name of names) body.append("file", new File([`of ${name}`], name));
  return body;
}

test("where everybody may do everything, a sign-in is offered once there is somebody to sign in", async () => {
  let open = createTestApp();
  expect(await (await open.ask("", { headers: page })).text()).not.toContain("Sign in");
  open.tokens.create({ name: "admin", scopes: ["admin"] });
  expect(await (await open.ask("", { headers: page })).text()).toContain("Sign in");
  open.close();
});

describe("a drop box", () => {
  test("shows the upload page alone, and a way to sign in for those who may more", async () => {
    await box.addFile("theirs", { filename: "somebody-elses.txt" });
    let html = await (await box.ask("", { headers: page })).text();
    expect(html).toContain('<form id="upload"');
    expect(html).toContain(`href="${testBase}/sign-in"`);
    for (let not of ["somebody-elses.txt", `${testBase}/files`, "Admin", "Sign out"]) {
      expect(html).not.toContain(not);
    }
  });

  test("takes files by form, by curl and by htmx, and tells of each what became of it", async () => {
    let plain = await box.ask("/upload", { method: "POST", body: form("a.txt", "b.txt"), headers: page });
    expect(plain.status).toBe(303);
    let receipt = (plain.headers.get("Location") ?? "").slice(testBase.length);
    let told = await (await box.ask(receipt, { headers: page })).text();
    expect(told).toContain("2 of 2 files stored");
    expect(told).toContain("a.txt");
    expect(told).not.toContain(`${testBase}/files`);
    let htmx = await box.ask("/upload", {
      method: "POST",
      body: form("c.txt"),
      headers: { "HX-Request": "true" },
    });
    let fragment = await htmx.text();
    expect(fragment).toContain("c.txt");
    expect(fragment).not.toContain("<a ");
    expect((await box.ask("/upload/d.txt", { method: "PUT", body: "d" })).status).toBe(201);
  });

  test("shows nothing of what is in it: no list, no download, by id or uid", async () => {
    let file = await box.addFile("mine", { filename: "mine.txt" });
    for (let path of [
      "/files",
      "/files.json",
      "/files.csv",
      "/files?_search=mine",
      ...[file.id, file.uid].flatMap((id) => [
        `/files/${id}`,
        `/files/${id}.json`,
        `/files/${id}/download`,
        `/files/${id}/thumbnail`,
      ]),
    ]) {
      let answer = await box.ask(path, { headers: page });
      expect([path, answer.status]).toEqual([path, 401]);
      expect(await answer.text()).not.toContain("mine.txt");
      expect([path, (await box.ask(path, { method: "HEAD" })).status]).toEqual([path, 401]);
    }
    for (let [method, path] of [
      ["DELETE", `/files/${file.id}`],
      ["POST", `/files/${file.id}/delete`],
      ["POST", "/files/delete"],
      ["POST", "/files/restore"],
    ]) {
      let headers = { "Content-Type": "application/x-www-form-urlencoded" };
      let answer = await box.ask(path ?? "", { method: method ?? "", headers, body: `id=${file.id}` });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });

  test("answers alike for files that there are and that there are not", async () => {
    let file = await box.addFile("there");
    let [there, missing] = await Promise.all([file.id, 999_999].map((id) => box.ask(`/files/${id}`)));
    let texts = await Promise.all([there, missing].map((answer) => answer?.text()));
    let withoutId = texts.map((text) => text?.replace(/"request_id":"[^"]+"/, ""));
    expect(withoutId[0]).toBe(withoutId[1]);
  });

  test("does not tell which other file has the same bytes", async () => {
    await box.ask("/upload/one.txt", { method: "PUT", body: "the same" });
    let again = await box.ask("/upload/two.txt", { method: "PUT", body: "the same" });
    expect(await again.text()).not.toContain("duplicate_of");
    let { token } = box.tokens.create({ name: "a", scopes: ["upload", "view"] });
    let headers = { Authorization: `Bearer ${token}` };
    let seen = await box.ask("/upload/three.txt", { method: "PUT", body: "the same", headers });
    expect(await seen.text()).toContain("duplicate_of");
  });

  test("refuses a duplicate without telling of which file it is one", async () => {
    let strict = createTestApp({
      anonymousScopes: ["upload"],
      receiveUpload: async () => [
        {
          success: false,
          filename: "a.txt",
          error: new AppError("duplicate", "The same bytes are here as file 7.", {
            details: { duplicate_of: 7 },
          }),
        },
      ],
    });
    let answer = await strict.ask("/upload/a.txt", { method: "PUT", body: "x" });
    let text = await answer.text();
    expect(answer.status).toBe(409);
    expect(text).not.toContain("7.");
    expect(text).not.toContain("duplicate_of");
    strict.close();
  });

  test("tells a receipt only to who may send, and by its name", async () => {
    expect((await box.ask("/uploaded/00000000-0000-4000-8000-000000000000", { headers: page })).status).toBe(
      404,
    );
  });
});
