import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { noBrowser, openBrowser } from "../support/browser.ts";

setDefaultTimeout(60_000);

let world: World;
let receipt: string;
let adminLink: string;
beforeAll(async () => {
  world = await createWorld("local", { S3_UPLOADS_BLOCKED_EXTENSIONS: "exe" });
  let form = new FormData();
  form.append("file", new File([bytesOf(3000)], "Ein Bild – ünïcode <b>.bin"));
  form.append("file", new File(["a,b\n1,2\n"], "table.csv"));
  form.append("file", new File(["x"], "setup.exe"));
  let answer = await fetch(`${world.server.base}/upload`, {
    method: "POST",
    body: form,
    headers: { Accept: "text/html" },
    redirect: "manual",
  });
  receipt = answer.headers.get("Location") ?? "";
  let made = Bun.spawnSync(
    [
      process.execPath,
      "src/main.ts",
      "token",
      "create",
      "--scope",
      "admin",
      "--data-dir",
      world.server.dataDir,
    ],
    { cwd: join(import.meta.dir, "../..") },
  );
  adminLink = `${world.server.base}/sign-in?token=${made.stdout.toString().trim()}`;
});
afterAll(() => world.close());

const axe = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();

/** What axe finds, in a line each. */
async function violations(
  address: string,
  scheme: "light" | "dark",
  width: number,
  before = address,
): Promise<string[]> {
  await using browser = await openBrowser(before);
  let { view } = browser;
  if (before !== address) await browser.goto(address);
  await view.resize(width, 900);
  await view.cdp("Emulation.setEmulatedMedia", {
    features: [
      { name: "prefers-color-scheme", value: scheme },
      { name: "prefers-reduced-motion", value: "reduce" },
    ],
  });
  await browser.ask(`(() => { ${axe}; window.axe = axe; })()`);
  return await browser.ask(
    `axe.run().then(({ passes, violations }) => passes.length === 0 ? ["axe looked at nothing"] : violations.flatMap(({ id, help, nodes }) => nodes.map((node) => id + ": " + help + ": " + node.html)))`,
  );
}

describe.skipIf(noBrowser)("axe finds nothing", () => {
  let pages: [string, () => string][] = [
    ["the upload page", () => world.server.base],
    ["what became of a form", () => new URL(receipt, world.server.base).href],
    ["the list of files", () => `${world.server.base}/files`],
    ["a search without hits", () => `${world.server.base}/files?_search=nothing`],
    ["one file", () => `${world.server.base}/files/1`],
    ["a failure", () => `${world.server.base}/files/999`],
    ["the sign-in page", () => `${world.server.base}/sign-in`],
  ];
  for (let [name, address] of pages) {
    for (let [scheme, width] of [
      ["light", 1280],
      ["dark", 390],
    ] as const) {
      test(`on ${name}, ${scheme}, ${width} px wide`, async () => {
        expect(await violations(address(), scheme, width)).toEqual([]);
      });
    }
  }

  test.each([
    ["light", 1280],
    ["dark", 390],
  ] as const)("on the audit log, %s, %d px wide", async (scheme, width) => {
    expect(await violations(`${world.server.base}/audit`, scheme, width, adminLink)).toEqual([]);
  });
});

test.skipIf(noBrowser)("no page has an error in the browser's console", async () => {
  await using browser = await openBrowser("about:blank");
  let errors: string[] = [];
  browser.view.addEventListener("Log.entryAdded", (event) => {
    let { entry } = (event as MessageEvent<{ entry: { level: string; text: string } }>).data;
    if (entry.level === "error") errors.push(entry.text);
  });
  await browser.view.cdp("Log.enable");
  for (let path of ["", "/files", "/files?view=grid", "/files/1", "/files/2", "/sign-in"]) {
    await browser.goto(world.server.base + path);
  }
  expect(errors).toEqual([]);
});
