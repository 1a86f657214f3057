import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { rowsOf } from "../datasette/answers.ts";
import { type Datasette, noDatasette, startDatasette } from "../support/datasette.ts";
import { freePort } from "../support/free-port.ts";
import { deflated, png, pngChunk } from "../support/images.ts";
import {
  censusOf,
  eventually,
  makeDataDir,
  removeDataDir,
  startServer,
  type TestServer,
} from "../support/server.ts";
import { noProxies, proxyNames, startProxy } from "./documented-proxy.ts";

// Other programs start here, on a machine that may be busy.
setDefaultTimeout(60_000);

const limitMs = 120_000;
const largestMib = 64;
const largeBytes = 48 * 1024 * 1024;
/** The proxy's certificate is its own. */
const tls = { rejectUnauthorized: false };

describe.skipIf(noDatasette || noProxies).each(proxyNames)("behind %s as documented", (name) => {
  let dataDir = makeDataDir();
  let origin: string;
  let base: string;
  let token: string;
  let server: TestServer;
  let datasette: Datasette;
  let proxy: AsyncDisposable;

  beforeAll(async () => {
    let ports = { front: freePort(), uploads: freePort(), datasette: 0 };
    origin = `https://localhost:${ports.front}`;
    base = `${origin}/-/s3-uploads`;
    server = await startServer(dataDir, {
      PORT: String(ports.uploads),
      S3_UPLOADS_PUBLIC_URL: origin,
      S3_UPLOADS_TRUSTED_PROXIES: "127.0.0.1",
      S3_UPLOADS_MAX_FILE_SIZE_MB: String(largestMib),
    });
    token = Bun.spawnSync(
      [
        process.execPath,
        "src/main.ts",
        "token",
        "create",
        "--scope",
        "upload,view,delete",
        "--data-dir",
        dataDir,
      ],
      { cwd: join(import.meta.dir, "../.."), env: { PATH: process.env["PATH"] ?? "" } },
    )
      .stdout.toString()
      .trim();
    datasette = await startDatasette("alpha", [dataDir, "--setting", "force_https_urls", "1"]);
    ports.datasette = Number(new URL(datasette.base).port);
    proxy = await startProxy(name, ports);
  }, limitMs);

  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await datasette?.[Symbol.asyncDispose]();
    await server?.stop();
    removeDataDir(dataDir);
  });

  /** As a program sends it. */
  function ask(address: string, init: RequestInit = {}): Promise<Response> {
    let headers = new Headers(init.headers);
    if (!headers.has("Authorization")) headers.set("Authorization", `Bearer ${token}`);
    return fetch(address, { ...init, headers, tls, redirect: "manual" });
  }

  function signOut(from: string): Promise<Response> {
    return fetch(`${base}/sign-out`, { method: "POST", headers: { Origin: from }, tls, redirect: "manual" });
  }

  test("Datasette is at /, and the uploads are at their place", async () => {
    expect(await (await fetch(`${origin}/uploads`, { tls })).text()).toContain("Datasette");
    for (let path of ["", "/", "/files"]) {
      let page = await ask(base + path, { headers: { Accept: "text/html" } });
      expect([path, page.status]).toEqual([path, 200]);
      expect(await page.text()).not.toContain("Datasette");
    }
    expect((await fetch(`${origin}/-/versions.json`, { tls })).status).toBe(200);
    let first = await fetch(`${origin}/uploads/s3_uploads.json?_size=1`, { tls });
    expect(first.status).toBe(200);
  });

  test("nobody in particular may do nothing", async () => {
    let response = await fetch(`${base}/files.json`, { tls });
    expect(response.status).toBe(401);
  });

  test("a browser is signed in by a cookie for https alone", async () => {
    let signedIn = await fetch(`${base}/sign-in`, {
      method: "POST",
      body: new URLSearchParams({ token }),
      headers: { Origin: origin, "Sec-Fetch-Site": "same-origin" },
      tls,
      redirect: "manual",
    });
    expect(signedIn.status).toBe(303);
    let cookie = signedIn.headers.get("Set-Cookie") ?? "";
    expect(cookie).toContain("Secure");
    let page = await fetch(`${base}/files`, {
      headers: { Cookie: cookie.split(";")[0] ?? "", Accept: "text/html" },
      tls,
    });
    expect(page.status).toBe(200);
  });

  test("Origin is compared with what the browser sees", async () => {
    expect((await signOut(origin)).status).toBe(303);
    let refused = await signOut("https://evil.example");
    expect(await refused.json()).toMatchObject({ error: { code: "cross_site_request" } });
  });

  test(
    "a large file goes through, and comes back as it was, whole and in parts",
    async () => {
      let content = Buffer.alloc(largeBytes, crypto.getRandomValues(new Uint8Array(65_521)));
      let sent = await ask(`${base}/upload/large.bin`, { method: "PUT", body: content });
      let answer = (await sent.json()) as { file_id: number; file: object; url: string };
      expect(answer.file).toMatchObject({ size_bytes: largeBytes });
      expect(answer.url).toStartWith(`${base}/`);
      let back = await ask(answer.url);
      expect(Buffer.from(await back.arrayBuffer()).equals(content)).toBe(true);
      let part = await ask(answer.url, { headers: { Range: "bytes=1000-1999" } });
      expect(part.status).toBe(206);
      expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(1000, 2000))).toBe(true);
    },
    limitMs,
  );

  test(
    "the server sees a file while it is still being sent",
    async () => {
      let half = Promise.withResolvers<void>();
      let sending = ask(`${base}/upload/slow.bin`, {
        method: "PUT",
        body: new ReadableStream({
          async start(controller) {
            controller.enqueue(new Uint8Array(1_000_000));
            await half.promise;
            controller.enqueue(new Uint8Array(1_000_000));
            controller.close();
          },
        }),
      });
      await eventually(
        () => censusOf(dataDir).intents,
        (intents) => intents === 1,
      );
      half.resolve();
      expect((await sending).status).toBe(201);
    },
    limitMs,
  );

  test(
    "a file that is too large is refused by us, in JSON",
    async () => {
      let body = new FormData();
      body.append("file", new File([new Uint8Array(1)], "small.txt"));
      body.append("file", new File([new Uint8Array(largestMib * 1024 * 1024 + 1)], "x.bin"));
      let response = await ask(`${base}/upload`, { method: "POST", body });
      expect(JSON.stringify(await response.json())).toContain("file_too_large");
      response = await ask(`${base}/upload/x.bin`, {
        method: "PUT",
        body: new Uint8Array(largestMib * 1024 * 1024 + 1),
      });
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ error: { code: "file_too_large" } });
    },
    limitMs,
  );

  test(
    "Datasette's views lead to thumbnails and files under the same address",
    async () => {
      await ask(`${base}/upload/dot.png`, {
        method: "PUT",
        body: png(4, 4, pngChunk("IDAT", deflated("\0".repeat(4 * 13)))),
      });
      let [image] = await rowsOf(datasette, "/uploads/s3_uploads_images.json");
      let cell = JSON.parse(String(image?.["thumbnail"])) as { img_src: string; href: string };
      expect(cell.img_src).toStartWith(`${base}/files/`);
      let thumbnail = await fetch(cell.img_src, { tls });
      expect([thumbnail.status, thumbnail.headers.get("Content-Type")]).toEqual([200, "image/webp"]);
      expect((await fetch(cell.href, { tls })).status).toBe(401);
      expect((await ask(cell.href, { headers: { Accept: "text/html" } })).status).toBe(200);
    },
    limitMs,
  );

  test("Datasette's own links keep to https", async () => {
    await ask(`${base}/upload/one-more.txt`, { method: "PUT", body: "x" });
    let response = await fetch(`${origin}/uploads/s3_uploads.json?_size=1`, { tls });
    let { next_url } = (await response.json()) as { next_url: string };
    expect(next_url).toStartWith(`${origin}/uploads/s3_uploads.json`);
  });
});
