import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { createWorld, type World } from "../serve/world.ts";
import { type Browser, noBrowser, openBrowser } from "../support/browser.ts";
import { eventually } from "../support/server.ts";

setDefaultTimeout(120_000);

/** How long a page gets to run what it should not. */
const graceMs = 150;

let world: World;
let browser: Browser;
/** What a script has told, from wherever it ran. */
let told: string[] = [];
/** Counts what comes; and serves every file as a careless server would, and pages of another site. */
let elsewhere: Bun.Server<undefined>;
let careless = new Map<string, { bytes: Uint8Array<ArrayBuffer>; type: string }>();

beforeAll(async () => {
  if (noBrowser) return;
  world = await createWorld("local");
  elsewhere = Bun.serve({
    port: 0,
    fetch(request) {
      let { pathname, search } = new URL(request.url);
      if (pathname === "/told") {
        told.push(search);
        return new Response("", { headers: { "Access-Control-Allow-Origin": "*" } });
      }
      let file = careless.get(pathname);
      return file
        ? new Response(file.bytes, { headers: { "Content-Type": file.type } })
        : new Response("<title>elsewhere</title>", { headers: { "Content-Type": "text/html" } });
    },
  });
  browser = await openBrowser("about:blank");
  await browser.view.cdp("Browser.setDownloadBehavior", { behavior: "deny" }).catch(() => {});
});
afterAll(async () => {
  if (noBrowser) return;
  await browser[Symbol.asyncDispose]();
  await elsewhere.stop(true);
  await world.close();
});

/** Tells on itself in every way that might be left: a cookie, the storage, a request, a picture, a new address. */
function script(name: string): string {
  let address = `http://127.0.0.1:${elsewhere.port}/told?${name}`;
  return `try { document.cookie = "owned=${name};path=/" } catch {} try { localStorage.owned = "${name}" } catch {} try { fetch("${address}-fetch", { mode: "no-cors" }) } catch {} try { new Image().src = "${address}-image" } catch {} try { location = "${address}-location" } catch {}`;
}

const xhtml = "http://www.w3.org/1999/xhtml";
const svgNamespace = "http://www.w3.org/2000/svg";

/** Files that run a script where they are shown as what they are; the type that a careless server gives them. */
const hostile: Record<
  string,
  { name: string; type: string; runs: boolean; content: (script: string) => string }
> = {
  svg: {
    name: "a.svg",
    type: "image/svg+xml",
    runs: true,
    content: (js) => `<svg xmlns="${svgNamespace}" onload="void 0"><script><![CDATA[${js}]]></script></svg>`,
  },
  html: {
    name: "a.html",
    type: "text/html",
    runs: true,
    content: (js) => `<!doctype html><script>${js}</script>`,
  },
  xhtml: {
    name: "a.xhtml",
    type: "application/xhtml+xml",
    runs: true,
    content: (js) => `<html xmlns="${xhtml}"><body><script><![CDATA[${js}]]></script></body></html>`,
  },
  xml: {
    name: "a.xml",
    type: "text/xml",
    runs: true,
    content: (js) => `<?xml version="1.0"?><x><script xmlns="${xhtml}"><![CDATA[${js}]]></script></x>`,
  },
  "html in a picture's name": {
    name: "a.jpg",
    type: "text/html",
    runs: true,
    content: (js) => `<html><script>${js}</script>`,
  },
  "html in a text's name": {
    name: "a.txt",
    type: "text/html",
    runs: true,
    content: (js) => `\n\n<script>${js}</script>`,
  },
  "html behind a GIF's magic number": {
    name: "a.gif",
    type: "text/html",
    runs: true,
    content: (js) => `GIF89a\x01\x00\x01\x00<script>${js}</script>`,
  },
  "html behind a PDF's magic number": {
    name: "a.pdf",
    type: "text/html",
    runs: true,
    content: (js) => `%PDF-1.4\n<script>${js}</script>`,
  },
  "html in UTF-7": {
    name: "b.txt",
    type: "text/plain",
    runs: false,
    content: (js) => `+ADw-script+AD4-${js}+ADw-/script+AD4-`,
  },
  "an event in the name's markup": {
    name: "<img src=x onerror=alert(1)>.txt",
    type: "text/plain",
    runs: false,
    content: () => `<img src=x onerror="document.title='owned'">`,
  },
  pdf: {
    name: "b.pdf",
    type: "application/pdf",
    runs: false,
    content: (js) =>
      `%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(${js.replace(/[()\\]/g, "\\$&")} app.alert\\(1\\); app.launchURL\\("http://127.0.0.1:${elsewhere.port}/told?pdf-launch"\\))>>>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/AA<</O<</S/URI/URI(http://127.0.0.1:${elsewhere.port}/told?pdf-uri)>>>>>>endobj trailer<</Root 1 0 R>>`,
  },
};

async function upload(name: string, content: string): Promise<number> {
  let address = `${world.server.base}/upload/${encodeURIComponent(name)}`;
  // As its sender likes to call it: nothing of that is believed.
  let headers = { "Content-Type": "text/html" };
  let answer = await fetch(address, { method: "PUT", body: content, headers });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { file_id: number }).file_id;
}

/** Opens an address as if it had been typed; a download ends without a page. */
async function visit(address: string): Promise<void> {
  let { view } = browser;
  await Promise.race([view.navigate(address).catch(() => {}), Bun.sleep(5_000)]);
  await Bun.sleep(graceMs);
}

/** What has come to be in our origin. */
async function traces(): Promise<unknown> {
  await browser.goto(`${world.server.base}/files`);
  return browser.ask<unknown>(
    `({ cookie: document.cookie, storage: localStorage.length, title: document.title })`,
  );
}

describe.skipIf(noBrowser)("a file that would run a script", () => {
  let clean = { cookie: "", storage: 0, title: "Files · s3-uploads" };

  test("does so where a careless server shows it: these tests would see it", async () => {
    for (let [what, { type, runs, content }] of Object.entries(hostile)) {
      if (!runs) continue;
      let name = encodeURIComponent(what);
      careless.set(`/${name}`, { bytes: Buffer.from(content(script(name))), type });
      told = [];
      await visit(`http://127.0.0.1:${elsewhere.port}/${name}`);
      await eventually(
        () => [what, told.length],
        () => told.length > 0,
      );
    }
    // Cookies know no ports: ours would be told of these.
    await browser.view.cdp("Network.clearBrowserCookies", {});
    told = [];
  });

  for (let [what, { name, content }] of Object.entries(hostile)) {
    test(`never does here: ${what}`, async () => {
      told = [];
      let id = await upload(name, content(script(encodeURIComponent(what))));
      let page = `${world.server.base}/files/${id}`;
      for (let address of [
        `${page}/download`,
        `${page}/download?frame=1`,
        `${page}/thumbnail`,
        page,
        `${page}.json`,
      ]) {
        await visit(address);
      }
      expect(await traces()).toEqual(clean);
      expect(told).toEqual([]);
    });
  }

  test("is not loaded as a script, a style, a worker or a frame by a page of ours, were somebody to smuggle it in", async () => {
    let js = await upload("lib.js", `${script("smuggled")}; window.owned = true;`);
    let css = await upload("a.css", `body { outline: 7px solid red }`);
    told = [];
    await visit(`${world.server.base}/files`);
    let result = await browser.ask<unknown>(`(async () => {
      let base = "${new URL(world.server.base).pathname}";
      let load = (tag, facts) => new Promise((done) => {
        let one = Object.assign(document.createElement(tag), facts);
        one.onload = () => done("loaded"); one.onerror = () => done("refused");
        document.head.append(one);
      });
      let tried = {
        script: await load("script", { src: base + "/files/${js}/download" }),
        module: await load("script", { src: base + "/files/${js}/download", type: "module" }),
        style: await load("link", { rel: "stylesheet", href: base + "/files/${css}/download" }),
        worker: await navigator.serviceWorker.register(base + "/files/${js}/download").then(() => "loaded", () => "refused"),
      };
      let inline = document.createElement("div");
      inline.innerHTML = '<img src="x:" onerror="window.owned = true"><svg><script>window.owned = true</scr' + 'ipt></svg>';
      document.body.append(inline);
      let text = document.createElement("script"); text.textContent = "window.owned = true"; document.head.append(text);
      await new Promise((done) => setTimeout(done, 100));
      return { ...tried, owned: window.owned ?? false, outline: getComputedStyle(document.body).outlineWidth };
    })()`);
    expect(result).toMatchObject({
      script: "refused",
      module: "refused",
      style: "refused",
      worker: "refused",
      owned: false,
    });
    expect((result as { outline: string }).outline).not.toBe("7px");
    expect(told).toEqual([]);
    expect(await traces()).toEqual(clean);
  });

  test("and any other is not shown by the page of another site", async () => {
    let pixel = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
      "base64",
    );
    let address = `${world.server.base}/upload/pixel.png`;
    let answer = await fetch(address, { method: "PUT", body: pixel });
    let { file_id: id } = (await answer.json()) as { file_id: number };
    // Another site by its name, in reach of the same browser.
    await visit(`http://localhost:${elsewhere.port}/`);
    let seen = await browser.ask<unknown>(`(async () => {
      let base = "${world.server.base}";
      let picture = (src) => new Promise((done) => {
        let image = new Image();
        image.onload = () => done("shown"); image.onerror = () => done("refused");
        image.src = src;
      });
      let frame = (src) => new Promise((done) => {
        let one = document.createElement("iframe");
        one.onload = () => { try { done(one.contentDocument ? "readable" : "closed"); } catch { done("closed"); } };
        one.src = src; document.body.append(one);
      });
      return {
        original: await picture(base + "/files/${id}/download"),
        thumbnail: await picture(base + "/files/${id}/thumbnail"),
        page: await frame(base + "/files/${id}"),
        read: await fetch(base + "/files.json").then(() => "read", () => "refused"),
      };
    })()`);
    expect(seen).toEqual({ original: "refused", thumbnail: "refused", page: "closed", read: "refused" });
  });
});
