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

/** A page in a real browser, with what tests do to pages. */
export interface Browser extends AsyncDisposable {
  view: Bun.WebView;
  /** Clicks into the middle of an element; Bun's own click by selector needs the page's scripts. */
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
  if (!javaScript) {
    await view.navigate("about:blank");
    await view.cdp("Emulation.setScriptExecutionDisabled", { value: true });
  }
  await view.navigate(url);

  async function find(selector: string): Promise<number> {
    let { root } = await view.cdp<{ root: { nodeId: number } }>("DOM.getDocument");
    let found = await view.cdp<{ nodeId: number }>("DOM.querySelector", { nodeId: root.nodeId, selector });
    return found.nodeId;
  }

  return {
    view,
    async click(selector) {
      let place = await view.evaluate<{ x: number; y: number; width: number; height: number }>(
        `(document.querySelector(${JSON.stringify(selector)}).scrollIntoView({ block: "center", behavior: "instant" }),
          document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect().toJSON())`,
      );
      await view.click(place.x + place.width / 2, place.y + place.height / 2);
    },
    async choose(selector, files) {
      await view.cdp("DOM.setFileInputFiles", { nodeId: await find(selector), files });
    },
    async until(expression, limitMs = 10_000) {
      let endMs = performance.now() + limitMs;
      // A page that is being left can't be asked.
      let isTrue = () => view.evaluate<boolean>(`Boolean(${expression})`).catch(() => false);
      while (!(await isTrue())) {
        if (performance.now() > endMs) {
          let text = await view.evaluate<string>("document.body.innerText");
          throw new Error(`after ${limitMs} ms there is still no ${expression}:\n${text}`);
        }
        await Bun.sleep(25);
      }
    },
    textOf: (selector) =>
      view.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? null`),
    async [Symbol.asyncDispose]() {
      view.close();
    },
  };
}
