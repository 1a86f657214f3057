import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { createWorld, type World } from "../serve/world.ts";
import { noBrowser, openBrowser } from "../support/browser.ts";
import { skipUnlessCi } from "../support/needs.ts";

setDefaultTimeout(60_000);

const hostile = join(import.meta.dir, "../../../shared/corpus/jpg-exif-hostile-text.jpg");
if (!existsSync(hostile))
  skipUnlessCi("the corpus of real files is not beside the checkout: hostile EXIF is not shown");

let world: World;
beforeAll(async () => {
  world = await createWorld("local");
});
afterAll(() => world.close());

/** Address of the page of a file with this content. */
async function pageOf(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  let address = `${world.server.base}/upload/${encodeURIComponent(name)}`;
  let answer = await fetch(address, { method: "PUT", body: content });
  let { file_id } = (await answer.json()) as { file_id: number };
  return `${world.server.base}/files/${file_id}`;
}

async function picture(): Promise<Uint8Array<ArrayBuffer>> {
  let pixel = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  return new Uint8Array(await new Bun.Image(pixel).resize(300, 200).png().bytes());
}

describe.skipIf(noBrowser)("the page of one file", () => {
  test("shows a picture, and lists show its thumbnail", async () => {
    await using browser = await openBrowser(await pageOf("a.png", await picture()));
    await browser.until(`document.querySelector(".preview img").naturalWidth === 300`);
    await browser.goto(`${world.server.base}/files`);
    await browser.until(`document.querySelector(".thumb img").naturalWidth === 300`);
  });

  test("shows the beginning of a text as text, whatever stands in it", async () => {
    let html = `<h1>Hello</h1><script>document.title = "owned"</script>`;
    await using browser = await openBrowser(await pageOf("page.html", html));
    expect(await browser.textOf(".text-head pre")).toBe(html);
    expect(await browser.ask<string>("document.title")).toBe("page.html · s3-uploads");
  });

  test("shows a PDF in a frame that is in a sandbox", async () => {
    let pdf =
      "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj trailer<</Root 1 0 R>>";
    await using browser = await openBrowser(await pageOf("a.pdf", pdf));
    let frame = await browser.ask<string>(`document.querySelector(".preview iframe").src`);
    let { headers } = await fetch(frame);
    expect(headers.get("Content-Type")).toBe("application/pdf");
    expect(headers.get("Content-Security-Policy")).toMatch(/; sandbox$/);
    await browser.until(
      `performance.getEntriesByType("resource").some(({ name }) => name.includes("/download?frame=1"))`,
    );
  });

  test("says when a text goes on", async () => {
    await using browser = await openBrowser(await pageOf("long.csv", "a,b\n".repeat(30_000)));
    expect(await browser.textOf(".text-head")).toContain("This is the beginning");
  });

  test.skipIf(!existsSync(hostile))("shows hostile EXIF as text", async () => {
    await using browser = await openBrowser(await pageOf("photo.jpg", await Bun.file(hostile).bytes()));
    let facts = await browser.ask<string>(
      `(document.querySelectorAll("details").forEach((one) => one.open = true), document.querySelector("main").innerText)`,
    );
    expect(facts).toContain("<script>");
    let alive = `document.querySelectorAll("main :is(script, svg, b, img:not(.preview img))").length`;
    expect(await browser.ask<number>(alive)).toBe(0);
  });

  test("copies the sum, and says so", async () => {
    await using browser = await openBrowser(await pageOf("sum.txt", "sum"));
    await browser.click("button[data-copy]");
    await browser.until(`document.querySelector("#notices").innerText === "Copied."`);
  });

  test("has no button that needs a script when there is none", async () => {
    await using browser = await openBrowser(await pageOf("plain.txt", "x"), { javaScript: false });
    expect(await browser.ask<number>(`document.querySelectorAll("button:not([hidden])").length`)).toBe(1);
  });
});
