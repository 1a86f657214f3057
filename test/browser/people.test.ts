import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { type Browser, noBrowser, openBrowser } from "../support/browser.ts";

setDefaultTimeout(60_000);

const password = "correct horse battery";
let world: World;
let folder = mkdtempSync(join(tmpdir(), "s3-uploads-browser-"));
let picture = join(folder, "fair.bin");
let large = join(folder, "large.bin");
beforeAll(async () => {
  writeFileSync(picture, bytesOf(30_000));
  writeFileSync(large, bytesOf(1_100_000));
  world = await createWorld("local", { S3_UPLOADS_ALLOW_ANONYMOUS: "none" });
  cli(password, "user", "add", "ann", "--scope", "admin", "--password-stdin");
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

function cli(input: string, ...args: string[]): string {
  let command = [process.execPath, "src/main.ts", ...args, "--data-dir", world.server.dataDir];
  let { stdout, stderr, exitCode } = Bun.spawnSync(command, {
    env: { PATH: process.env["PATH"] ?? "" },
    stdin: Buffer.from(input),
  });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString().trim();
}

/** A browser that knows nobody yet: cookies are shared by all of a process. */
async function open(path: string, javaScript = true): Promise<Browser> {
  let browser = await openBrowser("about:blank", { javaScript });
  await browser.view.cdp("Network.clearBrowserCookies");
  await browser.goto(world.server.base + path);
  return browser;
}

function says(text: string): string {
  return `document.body?.innerText.includes(${JSON.stringify(text)})`;
}

for (let javaScript of [true, false]) {
  describe.skipIf(noBrowser)(`in a browser, JavaScript ${javaScript ? "on" : "off"}`, () => {
    test("a user signs in by name, and out again", async () => {
      await using browser = await open("/sign-in", javaScript);
      await browser.enter({ name: "ann", password: "not the password" });
      await browser.click(".sign-in form button");
      await browser.until(says("Name and password do not fit."));
      await browser.enter({ name: "ann", password });
      await browser.click(".sign-in form button");
      await browser.until(`${says("Sign out")} && ${says("Admin")}`);
      await browser.goto(`${world.server.base}/files`);
      await browser.until(
        "document.querySelector('h1') && !document.body.innerText.includes('Please sign in')",
      );
      let cookies = await browser.view.cdp<{
        cookies: { httpOnly: boolean; sameSite: string; name: string }[];
      }>("Network.getCookies");
      expect(cookies.cookies).toMatchObject([{ name: "s3u_session", httpOnly: true, sameSite: "Lax" }]);
      await browser.click('form[action$="/sign-out"] button');
      await browser.until(says("Sign in"));
      await browser.goto(`${world.server.base}/files`);
      await browser.until(says("Please sign in"));
    });

    test("an admin makes an invitation, and somebody without an account sends files by it", async () => {
      let link: string;
      {
        await using admin = await open("/sign-in", javaScript);
        await admin.enter({ name: "ann", password });
        await admin.click(".sign-in form button");
        await admin.until(says("Admin"));
        await admin.goto(`${world.server.base}/admin/invitations`);
        await admin.enter({ note: "Photos of the fair, please", max_files: "2", max_mb: "1" });
        await admin.click(".admin-form > p:last-child button");
        await admin.until(`document.querySelector("#secret")`);
        link = await admin.ask<string>(`document.querySelector("#secret").value`);
      }
      let { rows } = world.census();
      await using browser = await open(link.slice(link.indexOf("/invitation")), javaScript);
      await browser.until(`${says("Photos of the fair, please")} && ${says("2 more files")}`);
      expect(await browser.ask<string>("location.href")).toBe(world.server.base);
      if (javaScript) {
        await browser.choose("#file", [picture, large]);
        await browser.until(`${says("stored")} && ${says("1 more file")}`);
        expect(await browser.textOf("#uploads")).toContain("large.bin");
      } else {
        await browser.choose("#file", [picture, large]);
        await browser.click("#upload button[type=submit]");
        await browser.until(says("1 of 2 files stored"));
        expect(await browser.textOf("main")).toContain("larger than what this invitation may still send");
        await browser.goto(world.server.base);
        await browser.until(says("1 more file"));
      }
      await world.settled(rows + 1);
      expect(await browser.ask<number>(`document.querySelectorAll('a[href*="/files"]').length`)).toBe(0);
      await browser.goto(`${world.server.base}/files`);
      await browser.until(says("Not allowed"));
    });
  });
}

const axe = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();

describe.skipIf(noBrowser)("axe finds nothing", () => {
  test("on the pages of admins and of those who are invited, light and dark, wide and narrow", async () => {
    let link = cli("", "invite", "create", "--note", "Hello", "--max-files", "3");
    cli("", "token", "create", "--name", "one", "--prefix", "a/b", "--max-mb", "3");
    await using browser = await open("/sign-in");
    let { view } = browser;
    let found: string[] = [];
    async function look(name: string): Promise<void> {
      for (let [scheme, width] of [
        ["light", 1280],
        ["dark", 390],
      ] as const) {
        await view.resize(width, 900);
        await view.cdp("Emulation.setEmulatedMedia", {
          features: [
            { name: "prefers-color-scheme", value: scheme },
            { name: "prefers-reduced-motion", value: "reduce" },
          ],
        });
        await browser.ask(`(() => { ${axe}; window.axe = axe; })()`);
        let lines = await browser.ask<string[]>(
          `axe.run().then(({ passes, violations }) => passes.length === 0 ? ["axe looked at nothing"] : violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ": " + node.html)))`,
        );
        found.push(...lines.map((line) => `${name}, ${scheme}: ${line}`));
        let overflow = await browser.ask<boolean>(
          "document.documentElement.scrollWidth > document.documentElement.clientWidth",
        );
        if (overflow) found.push(`${name}, ${scheme}: it is wider than the window`);
      }
    }
    await look("sign-in");
    await browser.enter({ name: "ann", password });
    await browser.click(".sign-in form button");
    await browser.until(says("Admin"));
    for (let path of ["/admin/tokens", "/admin/users", "/admin/invitations", "/account"]) {
      await browser.goto(world.server.base + path);
      await browser.ask(`document.querySelectorAll("details").forEach((one) => (one.open = true))`);
      await look(path);
    }
    await browser.goto(world.server.base + link.slice(link.indexOf("/invitation")));
    await look("opening an invitation");
    await browser.click("main form button");
    await browser.until(says("You are invited"));
    await look("invited");
    expect(found).toEqual([]);
  });
});
