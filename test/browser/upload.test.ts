import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MIB } from "../../src/units.ts";
import { startCuttingProxy } from "../resume/cutting-proxy.ts";
import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { type Browser, noBrowser, openBrowser } from "../support/browser.ts";
import { startProxy } from "./proxy.ts";

const slowMs = 60_000;
setDefaultTimeout(slowMs);

/** One pixel that a browser can draw. */
const pixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-browser-"));
let world: World;
beforeAll(async () => {
  world = await createWorld("local", {
    S3_UPLOADS_BLOCKED_EXTENSIONS: "exe",
    S3_UPLOADS_MAX_FILE_SIZE_MB: "400",
    S3_UPLOADS_TYPE_MISMATCH: "reject",
  });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

function fileOf(name: string, content: Uint8Array | string): string {
  let path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A large file that takes no room on disk. */
function largeFile(name: string, bytes: number): string {
  let path = fileOf(name, "");
  truncateSync(path, bytes);
  return path;
}

/** Every line of the list: its state and what it says. */
function lines(browser: Browser): Promise<{ state: string; text: string }[]> {
  return browser.ask(
    "[...document.querySelectorAll('#uploads-list li')].map((li) => ({ state: li.dataset.state, text: li.innerText }))",
  );
}

/** What the page's thread has worked so far. */
async function busySeconds(browser: Browser): Promise<number> {
  let { metrics } = await browser.view.cdp<{ metrics: { name: string; value: number }[] }>(
    "Performance.getMetrics",
  );
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN;
}

const stateIs = (state: string) => `document.querySelector("#uploads-list [data-state=${state}]")`;
const allOver = `document.querySelector("#uploads-list li") && !document.querySelector("#uploads-list :is([data-state=waiting],[data-state=sending],[data-state=checking],[data-state=pausing])")`;

describe.skipIf(noBrowser)("the upload page", () => {
  test("sends what is chosen, shows it at the top of the newest files, and says so", async () => {
    let { rows } = world.census();
    await using browser = await openBrowser(world.server.base);
    await browser.choose("#file", [
      fileOf("photo.png", pixel),
      fileOf("empty.txt", ""),
      fileOf("a.csv", "a,b\n1,2\n"),
    ]);
    await browser.until(allOver);
    expect((await lines(browser)).map(({ state }) => state)).toEqual(["done", "done", "done"]);
    await world.settled(rows + 3);
    await browser.until(`document.querySelector("#newest").innerText.includes("photo.png")`);
    await browser.until(
      `document.querySelector("#uploads-news").innerText.includes("Finished: 3 of 3 files stored.")`,
    );
    await browser.until(`document.querySelector("#uploads-list canvas")`);
    expect(await browser.textOf("#uploads-text")).toBe("3 files stored");
    expect(await browser.ask<string>("document.title")).toBe("Upload · s3-uploads");
  });

  test("takes a drop and a paste", async () => {
    let { rows } = world.census();
    await using browser = await openBrowser(world.server.base);
    await browser.ask(`(() => {
      let transfer = (name) => { let made = new DataTransfer(); made.items.add(new File(["x" + name], name)); return made; };
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer("dropped.txt"), bubbles: true }));
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer("pasted.txt"), bubbles: true }));
    })()`);
    await browser.until(`document.querySelectorAll("#uploads-list [data-state=done]").length === 2`);
    await world.settled(rows + 2);
  });

  test("refuses the obvious before a byte is sent, and passes on what the server refuses", async () => {
    let { rows } = world.census();
    await using browser = await openBrowser(world.server.base);
    await browser.choose("#file", [
      largeFile("huge.bin", 401 * MIB),
      fileOf("setup.EXE", "x"),
      fileOf("x.exe.txt", "x"),
    ]);
    await browser.until(allOver);
    let said = await lines(browser);
    expect(said.map(({ state }) => state)).toEqual(["refused", "refused", "refused"]);
    expect(said[0]!.text).toContain("larger than 400 MB");
    expect(said[1]!.text).toContain("Files with the extension .exe are not accepted.");
    await browser.choose("#file", [fileOf("fake.png", "no picture")]);
    await browser.until(`document.querySelectorAll("#uploads-list [data-state=refused]").length === 4`);
    expect((await lines(browser))[3]!.text).toContain("does not match");
    expect(world.census().rows).toBe(rows);
  });

  test(
    "shows progress in the page and its title, and takes back what is cancelled",
    async () => {
      let { rows, objects } = world.census();
      let { port, pathname } = new URL(world.server.base);
      // So slow that there is something to cancel.
      let line = await startCuttingProxy(
        () => Number(port),
        () => Infinity,
        8 * MIB,
      );
      try {
        await using browser = await openBrowser(`http://127.0.0.1:${line.port}${pathname}`);
        await browser.choose("#file", [largeFile("a.bin", 390 * MIB), largeFile("b.bin", 390 * MIB)]);
        await browser.until(`/^[1-9]\\d? % · /.test(document.title)`);
        let [first] = await lines(browser);
        expect(first!.text).toMatch(/[\d.]+ MB of 390 MB/);
        await browser.click("#uploads-list li [data-part=cancel]");
        await browser.until(stateIs("cancelled"));
        await browser.click("#cancel-all");
        await browser.until(`document.querySelectorAll("#uploads-list [data-state=cancelled]").length === 2`);
      } finally {
        await line.stop();
      }
      await world.settled(rows, objects);
    },
    slowMs,
  );

  test(
    "explains what a proxy says, tries again by itself or when asked",
    async () => {
      let { rows } = world.census();
      let proxy = startProxy(world.server.base);
      try {
        await using browser = await openBrowser(proxy.base);
        proxy.answerUploads(502, 1);
        await browser.choose("#file", [fileOf("patient.txt", "x")]);
        let said = `innerText.includes("something in between answered in its place")`;
        await browser.until(`${stateIs("pausing")}.${said}`);
        await browser.until(stateIs("done"));
        await world.settled(rows + 1);

        proxy.answerUploads(413, 1);
        await browser.choose("#file", [fileOf("large.txt", "y")]);
        await browser.until(stateIs("failed"));
        expect((await lines(browser))[1]!.text).toContain("(a proxy) refuses files of this size");
        await browser.click("#uploads-list [data-state=failed] [data-part=retry]");
        await browser.until(`document.querySelectorAll("#uploads-list [data-state=done]").length === 2`);
        await world.settled(rows + 2);
      } finally {
        await proxy.stop();
      }
    },
    slowMs,
  );

  test("takes hostile names as text, and two files of the same name", async () => {
    let { rows } = world.census();
    await using browser = await openBrowser(world.server.base);
    mkdirSync(join(folder, "twin"), { recursive: true });
    let name = `<img src=x onerror=document.title='owned'> "%00 é😀\u202egpj.txt`;
    await browser.choose("#file", [fileOf(name, "1"), fileOf(join("twin", name), "2")]);
    await browser.until(`document.querySelectorAll("#uploads-list [data-state=done]").length === 2`);
    await world.settled(rows + 2);
    expect(await browser.ask<number>(`document.querySelectorAll("main img:not(.thumb img)").length`)).toBe(0);
    expect(await browser.ask<string>("document.title")).not.toContain("owned");
    expect((await lines(browser))[0]!.text).toContain("<img src=x");
  });

  test(
    "works through many small files without freezing",
    async () => {
      let { rows } = world.census();
      await using browser = await openBrowser(world.server.base);
      let many = Array.from({ length: 50 }, (_, nth) => fileOf(`small-${nth}.bin`, bytesOf(100 + nth)));
      await browser.choose("#file", many);
      await browser.until(`document.querySelector("#uploads-text").innerText === "50 files stored"`, slowMs);
      await world.settled(rows + 50);

      // In time of the page's own thread: what else the machine does is not in it.
      await browser.view.cdp("Performance.enable", { timeDomain: "threadTicks" });
      await browser.ask(`(() => {
        let transfer = new DataTransfer();
        for (let nth = 0; nth < 10000; nth++) transfer.items.add(new File(["x"], "tiny-" + nth + ".exe"));
        window.pasted = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
      })()`);
      let before = await busySeconds(browser);
      await browser.ask("document.body.dispatchEvent(pasted)");
      await browser.until(`document.querySelector("#uploads-more").textContent.includes("9,700 more")`);
      // With a line for each of them it would be several.
      expect((await busySeconds(browser)) - before).toBeLessThan(1);
      expect((await lines(browser)).length).toBeLessThan(500);
      expect(world.census().rows).toBe(rows + 50);
    },
    2 * slowMs,
  );

  test("works from the keyboard", async () => {
    await using browser = await openBrowser(world.server.base);
    let reached: string[] = [];
    for (let presses = 0; presses < 8; presses++) {
      await browser.view.press("Tab");
      reached.push(
        await browser.ask<string>("document.activeElement.id || document.activeElement.innerText"),
      );
    }
    expect(reached).toContain("file");
    expect(reached).toContain("folder");
  });
});
