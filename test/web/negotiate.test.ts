import { expect, test } from "bun:test";

import { Hono } from "hono";

import { formOf } from "../../src/web/negotiate.ts";

let app = new Hono();
app.get("/page", (context) => context.text(formOf(context, "page")));
app.get("/json", (context) => context.text(formOf(context, "json")));

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

test.each([
  [undefined, "json", "page"],
  ["*/*", "json", "page"],
  [browser, "page", "page"],
  ["text/html", "page", "page"],
  ["text/*", "page", "page"],
  ["application/json", "json", "json"],
  ["application/json, text/html;q=0.9", "json", "json"],
  ["application/json;q=0.5, text/html", "page", "page"],
  ["APPLICATION/JSON", "json", "json"],
  ["text/html;q=0, */*", "json", "json"],
  ["image/*", "json", "page"],
  ["text/html;q=oops, */*;q=0.1", "json", "json"],
  ["", "json", "page"],
])("Accept %p: %s where programs call, %s for pages", async (accept, program, page) => {
  let headers = accept === undefined ? {} : { Accept: accept };
  expect(await (await app.request("/json", { headers })).text()).toBe(program);
  expect(await (await app.request("/page", { headers })).text()).toBe(page);
});

async function ask(headers: Record<string, string>): Promise<string> {
  return (await app.request("/json", { headers })).text();
}

test("htmx gets a fragment, or the whole page when it says so", async () => {
  expect(await ask({ "HX-Request": "true", Accept: "text/html" })).toBe("fragment");
  expect(await ask({ "HX-Request": "true", "HX-Request-Type": "partial" })).toBe("fragment");
  expect(await ask({ "HX-Request": "true", "HX-Request-Type": "full" })).toBe("page");
});
