import { describe, expect, test } from "bun:test";

import { createAssets } from "../../src/web/assets.ts";

let assets = createAssets("/static");
let name = assets.links.stylesheet.slice("/static/".length);

function get(headers: Record<string, string>): Response {
  return assets.respond(name, new Request("http://localhost/", { headers }))!;
}

describe("a static file", () => {
  test("is the same whether it comes compressed or not", async () => {
    let plain = await get({ "Accept-Encoding": "gzip;q=0" }).text();
    for (let accepted of ["gzip", "br, gzip;q=0.5", "x-gzip, gzip"]) {
      let response = get({ "Accept-Encoding": accepted });
      expect(response.headers.get("Content-Encoding")).toBe("gzip");
      expect(Buffer.from(Bun.gunzipSync(new Uint8Array(await response.arrayBuffer()))).toString()).toBe(
        plain,
      );
      expect(response.headers.get("Vary")).toBe("Accept-Encoding");
    }
    expect(get({}).headers.get("Content-Encoding")).toBeNull();
    expect(plain).toContain(":root");
  });

  test("is kept for ever, and asked for again costs nothing", () => {
    let { headers } = get({});
    expect(headers.get("Cache-Control")).toContain("immutable");
    expect(get({ "If-None-Match": headers.get("ETag")! }).status).toBe(304);
  });

  test("is small: all that the upload page loads is less than 60 KB together", () => {
    let { stylesheet, htmx, favicon, uploadModules } = assets.links;
    let sizes = [stylesheet, htmx, favicon, ...uploadModules].map((address) => {
      let request = new Request("http://localhost/", { headers: { "Accept-Encoding": "gzip" } });
      return Number(assets.respond(address.slice("/static/".length), request)?.headers.get("Content-Length"));
    });
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(60_000);
    expect(Math.min(...sizes)).toBeGreaterThan(100);
  });
});
