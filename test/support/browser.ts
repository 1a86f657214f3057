import { skipUnlessCi } from "./needs.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const path = names.map((name) => Bun.which(name)).find((found) => found !== null) ?? null;
/** A container's root can't have Chromium's sandbox; the page under test is our own. */
const argv = ["--no-sandbox", "--disable-quic", "--disable-component-update", "--disable-sync"];

/** For `test.skipIf`. */
export const noBrowser = skipUnlessCi(
  path ? null : "Chromium is not installed: the pages are not tested in a browser (apt-get install chromium)",
);

export interface BrowserOptions {
  /** Default true. */
  javaScript?: boolean;
}

interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

const isLoaded = `document.readyState === "complete"`;

/** Whether a call failed only because the page that it was for is being left for another. */
function isLeaving(error: unknown): boolean {
  return error instanceof Error && /navigated or closed|execution context/i.test(error.message);
}

/** A page in a real browser, with what tests do to pages. */
export interface Browser extends AsyncDisposable {
  view: Bun.WebView;
  /** Goes to an address, and resolves when what is there has been loaded. */
  goto(url: string): Promise<void>;
  /** What an expression says of the page; asked again of the next page when this one is being left. */
  ask<T>(expression: string): Promise<T>;
  /** Gives fields, by their ids, a value; waits until they are there. */
  enter(fields: Record<string, string>): Promise<void>;
  /**
   * Clicks into the middle of an element, once its page is loaded and it keeps its place. Bun's own click by
   * selector needs the page's scripts.
   */
  click(selector: string): Promise<void>;
  /** Chooses files of the disk in an `<input type=file>`. */
  choose(selector: string, files: string[]): Promise<void>;
  /** Resolves as soon as the expression is true in the page. */
  until(expression: string, limitMs?: number): Promise<void>;
  /** What a person reads in an element; null when it is not there. */
  textOf(selector: string): Promise<string | null>;
}

export async function openBrowser(url: string, { javaScript = true }: BrowserOptions = {}): Promise<Browser> {
  if (!path) throw new Error("no browser");
  let view = new Bun.WebView({ width: 1100, height: 800, backend: { type: "chrome", path, argv } });
  await view.navigate("about:blank");
  if (!javaScript) await view.cdp("Emulation.setScriptExecutionDisabled", { value: true });

  async function ask<T>(expression: string): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await view.evaluate<T>(expression);
      } catch (error) {
        if (!isLeaving(error) || tries === 20) throw error;
        await Bun.sleep(50);
      }
    }
  }

  async function until(expression: string, limitMs = 25_000): Promise<void> {
    let endMs = performance.now() + limitMs;
    while (!(await ask<boolean>(`Boolean(${expression})`).catch(() => false))) {
      if (performance.now() > endMs) {
        let text = await ask<string>("document.body?.innerText");
        throw new Error(`after ${limitMs} ms there is still no ${expression}:\n${text}`);
      }
      await Bun.sleep(25);
    }
  }

  // A navigation may be told as done, or as failed, while the page before it was still coming.
  async function goto(to: string): Promise<void> {
    await ask("window.isLeft = true");
    await view.navigate(to).catch((error: unknown) => {
      if (!isLeaving(error)) throw error;
    });
    await until(`!window.isLeft && ${isLoaded}`);
  }

  /** Where an element is once it is in the middle of the window, also when one page is just followed by another. */
  async function placeOf(selector: string): Promise<Place> {
    let element = `document.querySelector(${JSON.stringify(selector)})`;
    for (;;) {
      await until(`${isLoaded} && ${element}`);
      await ask(`${element}?.scrollIntoView({ block: "center", behavior: "instant" })`);
      let place = await ask<Place | null>(`${element}?.getBoundingClientRect().toJSON() ?? null`);
      if (place) return place;
    }
  }

  async function nodeOf(selector: string): Promise<number> {
    let { root } = await view.cdp<{ root: { nodeId: number } }>("DOM.getDocument");
    let found = await view.cdp<{ nodeId: number }>("DOM.querySelector", { nodeId: root.nodeId, selector });
    return found.nodeId;
  }

  await goto(url);
  return {
    view,
    goto,
    ask,
    until,
    async enter(fields) {
      for (let [id, value] of Object.entries(fields)) {
        let field = `document.getElementById(${JSON.stringify(id)})`;
        await until(`${isLoaded} && ${field}`);
        await ask(`${field}.value = ${JSON.stringify(value)}`);
      }
    },
    async click(selector) {
      let place: Place | null = null;
      let before: Place | null;
      do {
        before = place;
        place = await placeOf(selector);
      } while (!Bun.deepEquals(place, before));
      await view.click(place.x + place.width / 2, place.y + place.height / 2);
    },
    async choose(selector, files) {
      await until(`${isLoaded} && document.querySelector(${JSON.stringify(selector)})`);
      await view.cdp("DOM.setFileInputFiles", { nodeId: await nodeOf(selector), files });
    },
    textOf: (selector) => ask(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? null`),
    async [Symbol.asyncDispose]() {
      view.close();
    },
  };
}
