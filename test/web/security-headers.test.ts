import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { createTestApp, testBase } from "../support/app.ts";

let world = createTestApp();
let published = createTestApp({ options: { publicUrl: "https://files.example.org" } });
let behindProxy = createTestApp({ trustedProxies: ["10.0.0.1"] });
let nobody = createTestApp({ anonymousScopes: [] });
afterAll(() => {
  for (let one of [world, published, behindProxy, nobody]) one.close();
});

const html = { Accept: "text/html" };

describe("every answer", () => {
  let addresses = [
    "",
    "/files",
    "/files.json",
    "/sign-in",
    "/healthz",
    "/nowhere",
    "/files/999",
    "/static/none",
  ];

  test.each(addresses)("of %s brings the whole set of headers", async (path) => {
    let { headers } = await world.ask(path, { headers: html });
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("X-Frame-Options")).toBe("DENY");
    expect(headers.get("Referrer-Policy")).toBe("same-origin");
    expect(headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
    expect(headers.get("Cross-Origin-Resource-Policy")).toBe("same-origin");
    expect(headers.get("Permissions-Policy")).toContain("camera=(), ");
    let policy = headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain("base-uri 'none'; frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|data:|blob:|\*/);
  });

  test("asks for https from then on where the server is published by it", async () => {
    let said = async (one: typeof world, init: RequestInit = {}) =>
      (await one.ask("/files", init)).headers.get("Strict-Transport-Security");
    expect(await said(published, { headers: { Host: "files.example.org" } })).toBe("max-age=31536000");
    expect(await said(published, { headers: { Host: "rebound.example" } })).toBe("max-age=31536000");
    expect(await said(world)).toBeNull();
    let proxied = {
      headers: { "X-Forwarded-Proto": "https" },
      env: { requestIP: () => ({ address: "10.0.0.1" }) },
    };
    expect(await said(behindProxy, proxied)).toBe("max-age=31536000");
    expect(await said(behindProxy)).toBeNull();
    // Only a trusted proxy may say that there is TLS before us.
    expect(await said(world, { headers: { "X-Forwarded-Proto": "https" } })).toBeNull();
  });
});

test("no page has a script, a style or an event handler inline", async () => {
  let { id } = await world.addFile("text", { filename: "a.txt" });
  for (let path of [
    "",
    "/files",
    "/files?view=grid",
    `/files/${id}`,
    "/sign-in",
    "/nowhere",
    "/files?_size=x",
  ]) {
    let text = await (await world.ask(path, { headers: html })).text();
    expect(text).toContain("<!doctype html>");
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(text).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:/i);
  }
  let root = join(import.meta.dir, "../..");
  for (let path of new Bun.Glob("{views,src}/**/*.tsx").scanSync(root)) {
    let source = await Bun.file(join(root, path)).text();
    expect([path, /\sstyle=|dangerouslySetInnerHTML|\son[A-Z][a-z]+=|hx-on/.test(source)]).toEqual([
      path,
      false,
    ]);
  }
});

describe("a redirect", () => {
  let evil = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
  ];
  let names = ["next", "url", "redirect", "return", "return_to", "list", "to", "Location", "path"];

  test.each(evil)("never leads to %s, in whatever parameter, field or path it comes", async (target) => {
    let { id } = await world.addFile("x");
    let query = names.map((name) => `${name}=${encodeURIComponent(target)}`).join("&");
    let form = { ...html, "Content-Type": "application/x-www-form-urlencoded" };
    let { token } = world.tokens.create({ name: `t ${target}`.slice(0, 60), scopes: ["view"] });
    let answers = [
      await world.app.request(`/?${query}`, { headers: { Host: "127.0.0.1" } }),
      await world.ask(`?${query}`, { headers: html }),
      await world.ask(`/files?${query}&_search=`, { headers: html }),
      await world.ask(`/files/?${query}&_sort=`, { headers: html }),
      await world.ask(`/sign-in?token=${token}&${query}`, { headers: { ...html, "Sec-Fetch-Site": "none" } }),
      await world.ask("/sign-in", { method: "POST", headers: form, body: `token=${token}&${query}` }),
      await world.ask(`/sign-out?${query}`, { method: "POST", headers: form, body: query }),
      await world.ask(`/files/${id}/delete`, { method: "POST", headers: form, body: query }),
      await world.ask("/files/restore", { method: "POST", headers: form, body: `id=${id}&${query}` }),
      await world.ask(`/${target}`, { headers: html }),
      await world.app.request(`http://127.0.0.1//evil.example${testBase}/files?_search=`, { headers: html }),
    ];
    let redirects = answers.map((answer) => answer.headers.get("Location")).filter((place) => place !== null);
    expect(redirects.length).toBeGreaterThanOrEqual(6);
    for (let place of redirects) {
      expect(place).toMatch(/^\/-\/s3-uploads(?:[/?]|$)/);
      expect(new URL(place, "http://ours.example").host).toBe("ours.example");
    }
  });

  test("follows no Host or X-Forwarded-Host of a stranger", async () => {
    for (let headers of [
      { Host: "127.0.0.1", "X-Forwarded-Host": "evil.example" },
      { Host: "127.0.0.1", Forwarded: "host=evil.example" },
      { Host: "127.0.0.1", "X-Original-URL": "https://evil.example/", "X-Rewrite-URL": "//evil.example" },
    ]) {
      let answer = await world.app.request("/", { headers });
      expect(answer.headers.get("Location")).toBe(testBase);
    }
  });
});

describe("who may not view", () => {
  test("learns nothing by knowing an id, a uid, a sum or a receipt", async () => {
    let file = await nobody.addFile("secret content", { filename: "secret.txt" });
    let { token } = nobody.tokens.create({ name: "drop", scopes: ["upload", "delete"] });
    let dropper = { Authorization: `Bearer ${token}` };
    let paths = [file.id, file.uid].flatMap((id) => [
      `/files/${id}`,
      `/files/${id}.json`,
      `/files/${id}/download`,
      `/files/${id}/download?frame=1`,
      `/files/${id}/thumbnail`,
    ]);
    for (let path of [...paths, "/files", "/files.json", "/files.csv", "/files.json?_search=secret"]) {
      for (let headers of [{}, dropper]) {
        for (let extra of [{}, { "If-None-Match": `"${file.checksum_sha256}"` }, { Range: "bytes=0-1" }]) {
          let answer = await nobody.ask(path, { headers: { ...headers, ...extra } });
          expect([path, [401, 403].includes(answer.status)]).toEqual([path, true]);
          expect(await answer.text()).not.toContain("secret");
        }
        let head = await nobody.ask(path, { method: "HEAD", headers });
        expect([401, 403]).toContain(head.status);
        expect([head.headers.get("ETag"), head.headers.get("Content-Disposition")]).toEqual([null, null]);
      }
    }
    // A file that is there, and one that is not, are told apart by nobody.
    for (let missing of ["/files/999999", "/files/999999/download"]) {
      expect((await nobody.ask(missing)).status).toBe(401);
      expect((await nobody.ask(missing, { headers: dropper })).status).toBe(403);
    }
  });

  test("sees no list on the page for uploads", async () => {
    await nobody.addFile("x", { filename: "another-secret.txt" });
    let { token } = nobody.tokens.create({ name: "sender", scopes: ["upload"] });
    let page = await nobody.ask("", { headers: { ...html, Authorization: `Bearer ${token}` } });
    expect(page.status).toBe(200);
    expect(await page.text()).not.toContain("another-secret");
  });
});
