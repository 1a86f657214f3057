import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { createTestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";
import { type ListBody, listBody } from "../support/json-bodies.ts";

let { ask, addFile, close } = createTestApp();
afterAll(close);
beforeAll(async () => {
  await addFile("1", { filename: "alpha.txt" });
  await addFile("22", { filename: "beta.png", kind: "image", content_type: "image/png" });
  await addFile("333", { filename: "gamma.txt", metadata: { make: "Acme" } });
});

const browser = { Accept: "text/html,*/*;q=0.8" };
const htmx = { Accept: "text/html", "HX-Request": "true", "HX-Request-Type": "partial" };

async function names(path: string): Promise<string[]> {
  let response = await ask(path);
  expect(response.status).toBe(200);
  return (await listBody(response)).rows.map((row) => row.filename);
}

describe("/files.json", () => {
  test("newest first, with every column and the download address", async () => {
    let response = await ask("/files.json");
    let text = await response.text();
    expect(text.endsWith("}\n")).toBe(true);
    let body = JSON.parse(text);
    expect(body).toMatchObject({ success: true, next: null, next_url: null });
    expect(Object.keys(body.rows[0]).toSorted()).toEqual(
      (
        "id uid filename storage bucket s3_key content_type kind size_bytes checksum_sha256 width height taken_at " +
        "latitude longitude metadata created_at created_date url"
      )
        .split(" ")
        .toSorted(),
    );
    expect(body.rows[0]).toMatchObject({
      filename: "gamma.txt",
      metadata: { make: "Acme" },
      url: "/-/s3-uploads/files/3/download",
    });
  });

  test.each([
    ["_search=ALPHA", ["alpha.txt"]],
    ["_search=", ["gamma.txt", "beta.png", "alpha.txt"]],
    ["_sort=filename", ["alpha.txt", "beta.png", "gamma.txt"]],
    ["_sort_desc=size_bytes", ["gamma.txt", "beta.png", "alpha.txt"]],
    ["kind=image", ["beta.png"]],
    ["kind=", ["gamma.txt", "beta.png", "alpha.txt"]],
    ["content_type=text/plain&_sort=id", ["alpha.txt", "gamma.txt"]],
    ["content_type=IMAGE/*", ["beta.png"]],
    ["_size=1", ["gamma.txt"]],
    ["utm_source=mail", ["gamma.txt", "beta.png", "alpha.txt"]],
  ])("?%s", async (query, expected) => {
    expect(await names(`/files.json?${query}`)).toEqual(expected);
  });

  test("next_url leads through all pages with the same query", async () => {
    let seen: string[] = [];
    let path: string | null = "/-/s3-uploads/files.json?_size=1&_sort=filename&content_type=text/plain";
    while (path !== null) {
      let body: ListBody = await listBody(await ask(path.replace("/-/s3-uploads", "")));
      seen.push(...body.rows.map((row) => row.filename));
      expect(body.next_url === null).toBe(body.next === null);
      path = body.next_url;
    }
    expect(seen).toEqual(["alpha.txt", "gamma.txt"]);
  });

  test.each([
    ["_size=0", "_size"],
    ["_size=1001", "_size"],
    ["_size=ten", "_size"],
    ["_size=1.5", "_size"],
    ["_size=-1", "_size"],
    ["_sort=checksum_sha256", "_sort"],
    ["_sort=constructor", "_sort"],
    ["_sort_desc=;drop", "_sort_desc"],
    ["_sort=id&_sort_desc=id", "_sort_desc"],
    ["kind=picture", "kind"],
    ["content_type=png", "content_type"],
    ["content_type=*/*", "content_type"],
    ["_next=forged", "_next"],
    [`_search=${"x".repeat(501)}`, "_search"],
    ["_size=1&_size=2", "_size"],
  ])("?%s: 400 that names %s", async (query, parameter) => {
    for (let path of ["/files.json", "/files", "/files.csv"]) {
      // A table for a spreadsheet has no pages.
      if (path === "/files.csv" && parameter === "_next") continue;
      let { error } = await expectError(await ask(`${path}?${query}`), 400, "invalid_parameter");
      expect(error["parameter"]).toBe(parameter);
    }
  });
});

describe("/files", () => {
  test("is a page also for curl, JSON for who asks for it, a table for htmx", async () => {
    expect(await (await ask("/files", { headers: { Accept: "*/*" } })).text()).toStartWith("<!doctype html>");
    let json = await ask("/files?_size=1", { headers: { Accept: "application/json" } });
    expect((await listBody(json)).next_url).toStartWith("/-/s3-uploads/files?_size=1&_next=");
    expect(await (await ask("/files", { headers: htmx })).text()).toStartWith('<div id="files">');
  });

  test("keeps the search in its links and fields", async () => {
    let html = await (await ask('/files?_search=a"><b>&kind=text&_size=1', { headers: browser })).text();
    expect(html).toContain('value="a&quot;&gt;&lt;b&gt;"');
    expect(html).toContain('<option value="text" selected="">');
    let found = await (await ask("/files?_search=a&_size=1", { headers: browser })).text();
    expect(found).toMatch(
      /href="\/-\/s3-uploads\/files\?_search=a&amp;_size=1&amp;_next=[\w-]+"[^>]* rel="next"/,
    );
    expect(found).toContain('href="/-/s3-uploads/files?_search=a&amp;_sort=filename&amp;_size=1"');
    expect(found).toContain('href="/-/s3-uploads/files.csv?_search=a"');
  });

  test("offers deleting to who may, by forms that need no script", async () => {
    let html = await (await ask("/files", { headers: browser })).text();
    expect(html).toContain('<form method="post" action="/-/s3-uploads/files/3/delete"');
    expect(html).toContain('<form id="delete-many" method="post" action="/-/s3-uploads/files/delete"');
    expect(html).toContain('type="checkbox" name="id" value="3" form="delete-many"');
    let viewer = createTestApp({ anonymousScopes: ["view"] });
    await viewer.addFile("x");
    let plain = await (await viewer.ask("/files", { headers: browser })).text();
    expect(plain).toContain("file.bin");
    expect(plain).not.toContain("delete");
    viewer.close();
  });

  test("says so when there is nothing", async () => {
    let empty = createTestApp();
    expect(await (await empty.ask("/files")).text()).toContain("There are no files yet.");
    expect(await (await empty.ask("/files?_search=x")).text()).toContain("No file fits.");
    empty.close();
  });
});

describe("one file", () => {
  test("as JSON by its address or by asking", async () => {
    let body = await (await ask("/files/3.json")).json();
    expect(body).toMatchObject({ success: true, file: { id: 3, metadata: { make: "Acme" } } });
    expect(await (await ask("/files/3", { headers: { Accept: "application/json" } })).json()).toEqual(body);
  });

  test("as a page with everything that is known", async () => {
    let made = await addFile("x", {
      filename: "photo.jpg",
      kind: "image",
      content_type: "image/jpeg",
      width: 30,
      height: 40,
      taken_at: "2013-02-09T16:41:12",
      latitude: -33.85,
      longitude: 151.2,
      metadata: {
        make: "Acme",
        model: "One",
        declared_type: "image/png",
        mismatch: { extension: "jpg", declared_type: "image/png" },
        exif: { ISO: 50 },
      },
    });
    let html = await (await ask(`/files/${made.id}`, { headers: browser })).text();
    for (let part of [
      "<h1",
      "30 × 40 pixels",
      '<time datetime="2013-02-09T16:41:12"',
      "9 Feb 2013, 16:41",
      "Acme One",
      "https://www.openstreetmap.org/?mlat=-33.85&amp;mlon=151.2#map=15/-33.85/151.2",
      made.checksum_sha256,
      "The sender said image/png.",
      "does not match its name (.jpg) and its declared type (image/png).",
      "exif.ISO",
      `<img src="/-/s3-uploads/files/${made.id}/download"`,
    ]) {
      expect(html).toContain(part);
    }
  });

  test("shows nothing of a file that might run", async () => {
    let made = await addFile("<svg/>", { kind: "image", content_type: "image/svg+xml", filename: "a.svg" });
    let html = await (await ask(`/files/${made.id}`, { headers: browser })).text();
    expect(html).not.toContain(`src="/-/s3-uploads/files/${made.id}/download"`);
  });
});
