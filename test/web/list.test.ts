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
    ["from=2026-11-23&to=2026-11-23", ["gamma.txt", "beta.png", "alpha.txt"]],
    ["from=2026-11-24", []],
    ["to=2026-11-22", []],
    ["min_size=2", ["gamma.txt", "beta.png"]],
    ["max_size=2", ["beta.png", "alpha.txt"]],
    ["min_size=2&max_size=2 bytes", ["beta.png"]],
    ["min_size=1.5", ["gamma.txt", "beta.png"]],
    ["max_size=1.5GB&kind=text&_search=GAM&from=2026-01-01", ["gamma.txt"]],
    ["view=grid", ["gamma.txt", "beta.png", "alpha.txt"]],
    ["utm_source=mail", ["gamma.txt", "beta.png", "alpha.txt"]],
  ])("?%s", async (query, expected) => {
    expect(await names(`/files.json?${query}`)).toEqual(expected);
  });

  test("previous_url leads back to where next_url led from", async () => {
    let first = await listBody(await ask("/files.json?_size=1&_sort=filename"));
    expect([first.previous, first.previous_url]).toEqual([null, null]);
    let below = (path: string | null) => ask((path ?? "").replace("/-/s3-uploads", ""));
    let second = await listBody(await below(first.next_url));
    expect(second.previous_url).toContain(`_prev=${second.previous}`);
    expect(second.previous_url).not.toContain("_next");
    expect(await listBody(await below(second.previous_url))).toEqual(first);
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
    ["_prev=forged", "_prev"],
    ["_next=a&_prev=b", "_prev"],
    ["from=23.11.2026", "from"],
    ["to=2026-02-30", "to"],
    ["from=2026-11-24&to=2026-11-23", "to"],
    ["min_size=10 apples", "min_size"],
    ["max_size=-1", "max_size"],
    ["max_size=9999999999 TB", "max_size"],
    ["min_size=2&max_size=1", "max_size"],
    ["view=list", "view"],
    [`_search=${"x".repeat(501)}`, "_search"],
    ["_size=1&_size=2", "_size"],
  ])("?%s: 400 that names %s", async (query, parameter) => {
    for (let path of ["/files.json", "/files", "/files.csv"]) {
      // A table for a spreadsheet has no pages.
      if (path === "/files.csv" && query.includes("=forged")) continue;
      let { error } = await expectError(await ask(`${path}?${query}`), 400, "invalid_parameter");
      expect(error["parameter"]).toBe(parameter);
    }
  });

  test.each([
    ["_size=0", "_size: must be a number from 1 to 1000."],
    ["_size=ten", "_size: must be a number from 1 to 1000."],
    ["_size=1&_size=2", "_size: stands more than once."],
    ["kind=image&kind=text", "kind: stands more than once."],
    ["kind=picture", "kind: must be one of image, video, audio, document, archive, text, other."],
    ["_sort=size", "_sort: must be one of created_at, filename, size_bytes, content_type, taken_at, id."],
  ])("?%s says what works", async (query, sentence) => {
    let { error } = await expectError(await ask(`/files.json?${query}`), 400, "invalid_parameter");
    expect(error["message"]).toBe(sentence);
  });
});

describe("/files", () => {
  test("is a page also for curl, JSON for who asks for it, a table for htmx", async () => {
    expect(await (await ask("/files", { headers: { Accept: "*/*" } })).text()).toStartWith("<!doctype html>");
    let json = await ask("/files?_size=1", { headers: { Accept: "application/json" } });
    expect((await listBody(json)).next_url).toStartWith("/-/s3-uploads/files?_size=1&_next=");
    expect(await (await ask("/files", { headers: htmx })).text()).toStartWith('<div id="files" ');
  });

  test("keeps the search in its links and fields", async () => {
    let html = await (await ask('/files?_search=a"><b>&kind=text&_size=1', { headers: browser })).text();
    expect(html).toContain('value="a&quot;&gt;&lt;b&gt;"');
    expect(html).toContain('<option value="text" selected="">');
    let found = await (await ask("/files?_search=a&_size=1", { headers: browser })).text();
    expect(found).toMatch(/rel="next" href="\/-\/s3-uploads\/files\?_search=a&amp;_size=1&amp;_next=[\w-]+"/);
    expect(found).toContain('href="/-/s3-uploads/files?_search=a&amp;_sort=filename&amp;_size=1"');
    expect(found).toContain('href="/-/s3-uploads/files.csv?_search=a"');
  });

  test("gives what a form sent an address that can be read", async () => {
    let sent = "/files?_search=&kind=&from=&min_size=1.5+KB&max_size=&view=grid";
    let page = await ask(sent, { headers: browser });
    expect([page.status, page.headers.get("Location")]).toEqual([
      303,
      "/-/s3-uploads/files?min_size=1536&view=grid",
    ]);
    let list = await ask(sent, { headers: htmx });
    expect([list.status, list.headers.get("HX-Replace-Url")]).toEqual([
      200,
      "/-/s3-uploads/files?min_size=1536&view=grid",
    ]);
    let form = await (await ask("/files?min_size=1536&max_size=1537", { headers: browser })).text();
    expect(form).toContain('name="min_size" value="1.5 KB"');
    expect(form).toContain('name="max_size" value="1537"');
  });

  test("shows a grid, and keeps the look in its links", async () => {
    let html = await (await ask("/files?view=grid&_size=1", { headers: browser })).text();
    expect(html).toContain('<ul class="grid">');
    expect(html).not.toContain("<table");
    expect(html).toMatch(/rel="next" href="[^"]*_next=[\w-]+&amp;view=grid"/);
    expect(html).toContain('<input type="hidden" form="filters" name="view" value="grid"/>');
  });

  test("whoever pages back to the start sees a full page there", async () => {
    let app = createTestApp();
    for (let name of ["a", "b", "c", "d", "e"]) await app.addFile(name, { filename: name });
    let { next } = await app.repository.list({ size: 2 });
    let { previous } = await app.repository.list({ size: 2, next: next ?? "" });
    await app.addFile("f", { filename: "f" });
    let start = await app.repository.list({ size: 2, previous: previous ?? "" });
    expect(start.previous).not.toBeNull();
    let html = await (await app.ask(`/files?_size=2&_prev=${start.previous}`, { headers: browser })).text();
    expect(html.match(/<tr id="file-\d+/g)).toEqual(['<tr id="file-6', '<tr id="file-5']);
    app.close();
  });

  test("offers deleting to who may, by forms that need no script", async () => {
    let html = await (await ask("/files", { headers: browser })).text();
    expect(html).toContain('<form id="delete-one" method="post"');
    expect(html).toContain('type="submit" form="delete-one" formaction="/-/s3-uploads/files/3/delete"');
    expect(html).toContain(
      '<form id="delete-many" class="selection" method="post" action="/-/s3-uploads/files/delete"',
    );
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
    expect(await (await empty.ask("/files")).text()).toContain("There are no files yet");
    let without = await (await empty.ask("/files?_search=x&_sort=filename&view=grid")).text();
    expect(without).toContain("No file fits");
    expect(without).toContain(
      '<a class="button quiet" href="/-/s3-uploads/files?_sort=filename&amp;view=grid">',
    );
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
