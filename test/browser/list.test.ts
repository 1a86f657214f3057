import { Database } from "bun:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { createWorld, type World } from "../serve/world.ts";
import { type Browser, noBrowser, openBrowser } from "../support/browser.ts";
import { freePort } from "../support/free-port.ts";
import { eventually } from "../support/server.ts";

setDefaultTimeout(60_000);

let world: World;
let files = "";

/** Sends files by real uploads, the first first; ids count from there on. */
async function upload(...names: string[]): Promise<number[]> {
  let ids: number[] = [];
  for (let name of names) {
    let body = name.padEnd(10 * (ids.length + 1), ".");
    let url = `${world.server.base}/upload/${encodeURIComponent(name)}`;
    let answer = (await (await fetch(url, { method: "PUT", body })).json()) as { file_id: number };
    ids.push(answer.file_id);
  }
  return ids;
}

function put(name: string, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  return fetch(`${world.server.base}/upload/${name}`, { method: "PUT", body });
}

const count = 12;
/** Four pixels by three that nobody sees. */
const clearPng = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAYAAAC09K7GAAAADElEQVR4nGNgIBkAAAAzAAGHXpxVAAAAAElFTkSuQmCC",
);

beforeAll(async () => {
  if (noBrowser) return;
  // The page that is open finds the server again when it is started anew.
  world = await createWorld("local", { PORT: String(freePort()) });
});
afterAll(() => world?.close());

beforeEach(async () => {
  if (noBrowser) return;
  files = `${world.server.base}/files`;
  await empty();
  await upload(...Array.from({ length: count }, (_, i) => `note ${String(i + 1).padStart(2, "0")}.txt`));
});

async function empty(): Promise<void> {
  let { rows } = (await (await fetch(`${files}.json?_size=1000`)).json()) as { rows: { id: number }[] };
  for (let { id } of rows) await fetch(`${files}/${id}`, { method: "DELETE" });
}

/** Names in the list, from its top. */
const names = (browser: Browser) =>
  browser.ask<string[]>(`[...document.querySelectorAll("#files a.filename")].map((a) => a.textContent)`);
const address = (browser: Browser) => browser.ask<string>("location.pathname + location.search");
const focused = (browser: Browser) =>
  browser.ask<string>(`(document.activeElement?.getAttribute("aria-label")
    ?? document.activeElement?.textContent ?? "").trim()`);

async function shows(browser: Browser, ...wanted: string[]): Promise<void> {
  await eventually(
    () => names(browser),
    (seen) => JSON.stringify(seen) === JSON.stringify(wanted),
  );
}

async function says(browser: Browser, selector: string, part: string): Promise<void> {
  await eventually(
    () => browser.textOf(selector),
    (seen) => seen?.includes(part) ?? false,
  );
}

const note = (i: number) => `note ${String(i).padStart(2, "0")}.txt`;
const notes = (...numbers: number[]) => numbers.map(note);
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
const newestFirst = () => notes(...upTo(count).toReversed());

/** A click with shift, as a range is selected. */
async function shiftClick(browser: Browser, selector: string): Promise<void> {
  let place = await browser.ask<{ x: number; y: number; width: number; height: number }>(
    `document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect().toJSON()`,
  );
  let at = { x: place.x + place.width / 2, y: place.y + place.height / 2, button: "left", clickCount: 1 };
  for (let type of ["mousePressed", "mouseReleased"]) {
    await browser.view.cdp("Input.dispatchMouseEvent", { type, ...at, modifiers: 8 });
  }
}

async function key(browser: Browser, name: string, code: number, text = ""): Promise<void> {
  let facts = { key: name, code: name === " " ? "Space" : name, windowsVirtualKeyCode: code };
  await browser.view.cdp("Input.dispatchKeyEvent", { type: "keyDown", ...facts, ...(text && { text }) });
  await browser.view.cdp("Input.dispatchKeyEvent", { type: "keyUp", ...facts });
}

const box = (row: number) => `.file:nth-child(${row}) .pick input`;

describe.skipIf(noBrowser)("the list of files", () => {
  test("finds while one types, keeps the address, and comes back to it on reload", async () => {
    await using browser = await openBrowser(files);
    await browser.click("#search");
    await browser.view.type("TE 1");
    await shows(browser, ...notes(12, 11, 10, 1));
    await eventually(
      () => address(browser),
      (seen) => seen.endsWith("/files?_search=TE+1"),
    );
    expect(await browser.ask("document.activeElement.id")).toBe("search");
    await says(browser, "#announcer", "4 files");
    await says(browser, "#files", "Clear search and filters");
    await browser.goto(await browser.ask("location.href"));
    await shows(browser, ...notes(12, 11, 10, 1));
    expect(await browser.ask("document.querySelector('#search').value")).toBe("TE 1");
  });

  test("filters by kind and size, says what is no size, and clears", async () => {
    await upload("picture.svg");
    await using browser = await openBrowser(files);
    let choose = (selector: string, value: string) =>
      browser.ask(`(() => { let field = document.querySelector(${JSON.stringify(selector)});
        field.value = ${JSON.stringify(value)}; field.dispatchEvent(new Event("change", { bubbles: true })); })()`);
    await browser.click("#filters summary");
    await choose("#min-size", "30 bytes");
    await shows(browser, ...notes(...upTo(count).slice(2).toReversed()));
    await browser.until(`location.href.endsWith("/files?min_size=30")`);
    await choose("#max-size", "ten apples");
    await says(browser, "#notices", "must be a size like 500 KB, 10 MB or 1.5 GB");
    await choose("#max-size", "0.04 KB");
    await shows(browser, ...notes(4, 3));
    await eventually(
      () => browser.textOf("#notices"),
      (text) => text === "",
    );
    await choose("#kind", "video");
    await says(browser, "#files", "No file fits");
    await browser.click("#files a.button");
    await shows(browser, "picture.svg", ...newestFirst());
    await browser.until("document.querySelector('#min-size').value === ''");
  });

  test("sorts, pages forth and back, and the browser's own back goes back", async () => {
    await using browser = await openBrowser(`${files}?_size=5`);
    await shows(browser, ...newestFirst().slice(0, 5));
    await browser.click("#head-filename");
    await shows(browser, ...notes(1, 2, 3, 4, 5));
    await browser.click("#page-next");
    await shows(browser, ...notes(6, 7, 8, 9, 10));
    await eventually(
      () => browser.ask("document.activeElement.id"),
      (id) => id === "files",
    );
    await upload("note 00.txt", "note 055.txt");
    await browser.click("#page-previous");
    await shows(browser, "note 02.txt", "note 03.txt", "note 04.txt", "note 05.txt", "note 055.txt");
    await browser.click("#page-next");
    await shows(browser, ...notes(6, 7, 8, 9, 10));
    await browser.ask("setTimeout(() => history.back()), null");
    await shows(browser, "note 02.txt", "note 03.txt", "note 04.txt", "note 05.txt", "note 055.txt");
    // The page was restored; its script and its forms still work.
    await browser.click("#look-grid");
    await browser.until(`location.href.includes("view=grid") && document.querySelector("ul.grid")`);
  });

  test("shows a thumbnail in the place of the extension, and a part of a long name", async () => {
    await using browser = await openBrowser(`${files}?view=grid`);
    await put("clear.png", clearPng);
    let longName = `${"long".repeat(40)}.txt`;
    await put(longName, new TextEncoder().encode("no picture"));
    for (let look of ["table", "grid"]) {
      await browser.goto(`${files}?view=${look}`);
      await browser.until(`document.querySelector("#files .thumb.drawn")`);
      let extension = `getComputedStyle(document.querySelector("#files .thumb.drawn span")).visibility`;
      expect(await browser.ask<string>(extension)).toBe("hidden");
      let name = `document.querySelector("#files .file a.filename")`;
      expect(await browser.ask<string>(`${name}.title`)).toBe(longName);
      expect(await browser.ask<boolean>(`${name}.scrollHeight > ${name}.clientHeight`)).toBe(true);
    }
  });

  test("copies a link", async () => {
    await using browser = await openBrowser(files);
    // Nothing is taken back after a while.
    await browser.ask(
      `(Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { window.copied = text; } } }),
      window.setTimeout = () => 0)`,
    );
    await browser.click(".file [data-copy]");
    await says(browser, "#announcer", "Link copied");
    expect(await browser.ask<string>("window.copied")).toMatch(/^http:\/\/127.*\/files\/\d+$/);
  });

  test("selects with shift, all and none, and deletes with one question that names how many", async () => {
    await using browser = await openBrowser(files);
    await shows(browser, ...newestFirst());
    await browser.click(box(2));
    await shiftClick(browser, box(5));
    await says(browser, "#selected", "4 files selected.");
    await key(browser, "Escape", 27);
    await says(browser, "#selected", "Nothing selected.");
    await browser.click("#pick-all");
    await says(browser, "#selected", `${count} files selected.`);
    await browser.click("[data-select=none]");
    await browser.click(box(1));
    await browser.ask("scrollTo(0, 0)");
    await shiftClick(browser, box(3));
    await browser.click("#delete-many [type=submit]");
    await says(browser, "#confirm-delete", "Delete 3 files?");
    await browser.click("#confirm-delete [value=keep]");
    expect(await names(browser)).toHaveLength(count);
    await browser.click("#delete-many [type=submit]");
    await browser.click("#confirm-delete [value=delete]");
    await shows(browser, ...newestFirst().slice(3));
    await says(browser, "#undo", "3 files deleted.");
    await eventually(
      () => focused(browser),
      (seen) => seen === "Undo",
    );
    await browser.click("#undo button");
    await shows(browser, ...newestFirst());
    await says(browser, "#undo", "3 files are back.");
  });

  test("a deletion is undone, also after the server was killed and started again", async () => {
    await using browser = await openBrowser(`${files}?_search=note`);
    await browser.click(".file:nth-child(2) .icon-button.danger");
    await shows(browser, ...newestFirst().toSpliced(1, 1));
    expect(await (await fetch(`${files}.csv`)).text()).not.toContain(note(count - 1));
    await world.server.kill();
    await world.restart();
    await browser.click("#undo button");
    await shows(browser, ...newestFirst());
    await eventually(
      () => focused(browser),
      (seen) => seen === note(count - 1),
    );
  });

  test("what is not undone is gone for good, also when the server was down at that time", async () => {
    let { objects } = world.census();
    await using browser = await openBrowser(files);
    await browser.click(".file:nth-child(1) .icon-button.danger");
    await shows(browser, ...newestFirst().slice(1));
    expect(world.census().objects).toBe(objects);
    await world.server.stop();
    using state = new Database(join(world.server.dataDir, "internal", "state.db"));
    state.run("UPDATE trash SET due_at_ms = due_at_ms - 60000");
    await world.restart();
    await eventually(
      () => world.census().objects,
      (left) => left === objects - 1,
    );
    await browser.click("#undo button");
    await says(browser, "#notices", "The time to undo this is over");
    await eventually(
      () => browser.textOf("#undo"),
      (text) => text === "",
    );
  });

  test("works from the keyboard alone", async () => {
    await using browser = await openBrowser(files);
    let tabTo = async (wanted: string) => {
      for (let i = 0; i < 80; i += 1) {
        if ((await focused(browser)) === wanted) return;
        await key(browser, "Tab", 9);
      }
      throw new Error(`no way to ${wanted}`);
    };
    await browser.ask("document.querySelector('#search').focus()");
    await tabTo(`Select ${note(12)}`);
    await key(browser, " ", 32, " ");
    await says(browser, "#selected", "1 file selected.");
    await tabTo("Delete 1 file");
    await key(browser, "Enter", 13, "\r");
    await says(browser, "#confirm-delete", "Delete 1 file?");
    await tabTo("Delete 1 file");
    await key(browser, "Enter", 13, "\r");
    await shows(browser, ...newestFirst().slice(1));
    await eventually(
      () => focused(browser),
      (seen) => seen === "Undo",
    );
    await key(browser, "Enter", 13, "\r");
    await shows(browser, ...newestFirst());
    await eventually(
      () => focused(browser),
      (seen) => seen === note(12),
    );
  });

  test("works without JavaScript: search, page, delete several after a question, undo", async () => {
    await using browser = await openBrowser(`${files}?_size=5`, { javaScript: false });
    await shows(browser, ...newestFirst().slice(0, 5));
    expect(await browser.ask(`getComputedStyle(document.querySelector("[data-copy]")).visibility`)).toBe(
      "hidden",
    );
    await browser.click("#page-next");
    await shows(browser, ...newestFirst().slice(5, 10));
    await browser.click(box(1));
    await browser.click(box(2));
    await browser.click("#delete-many [type=submit]");
    await says(browser, "main", "Delete 2 files?");
    expect(await browser.textOf("main")).toContain(note(7));
    await browser.click("main button.danger");
    await says(browser, "#undo", "2 files deleted.");
    await shows(browser, ...notes(5, 4, 3, 2, 1));
    await browser.click("#undo button");
    await shows(browser, ...notes(7, 6, 5, 4, 3));
    await browser.click("#search");
    await browser.view.type("12");
    await browser.click("#filters > button");
    await shows(browser, note(12));
    expect(await address(browser)).toEndWith("/files?_search=12&_size=5");
    await browser.click(".icon-button.danger");
    await says(browser, "#undo", "1 file deleted.");
    await says(browser, "#files", "No file fits");
  });

  test.each([360, 1600])("fits into a window of %d pixels, in both looks, light and dark", async (width) => {
    await upload(`${"longname".repeat(25)}.txt`);
    await using browser = await openBrowser(files);
    let { view } = browser;
    await view.cdp("Emulation.setDeviceMetricsOverride", {
      width,
      height: 800,
      deviceScaleFactor: 1,
      mobile: width < 500,
    });
    for (let look of ["table", "grid"]) {
      let papers = new Set<string>();
      for (let value of ["light", "dark"]) {
        await view.cdp("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
        await browser.goto(`${files}?view=${look}`);
        let wide = await browser.ask<number>("document.documentElement.scrollWidth");
        expect(wide).toBeLessThanOrEqual(width);
        papers.add(await browser.ask<string>("getComputedStyle(document.body).backgroundColor"));
      }
      expect(papers.size).toBe(2);
    }
  });

  test("says what to do where there is nothing", async () => {
    await empty();
    await using browser = await openBrowser(files);
    await says(browser, "#files", "There are no files yet");
    await browser.click("#files a.button");
    await says(browser, "main", "Upload files");
  });
});
