import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createWorld, type World } from "../serve/world.ts";
import { bytesOf } from "../store/bodies.ts";
import { noBrowser, openBrowser } from "../support/browser.ts";

let world: World;
let folder = mkdtempSync(join(tmpdir(), "s3-uploads-browser-"));
let good = join(folder, "Été & <b>café 😀.bin");
let refused = join(folder, "setup.exe");
beforeAll(async () => {
  writeFileSync(good, bytesOf(300_000));
  writeFileSync(refused, bytesOf(1000));
  world = await createWorld("local", { S3_UPLOADS_BLOCKED_EXTENSIONS: "exe" });
});
setDefaultTimeout(60_000);
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

for (let javaScript of [true, false]) {
  describe.skipIf(noBrowser)(`the upload form, JavaScript ${javaScript ? "on" : "off"}`, () => {
    test("takes several files and says of each what became of it", async () => {
      let { rows } = world.census();
      await using browser = await openBrowser(world.server.base, { javaScript });
      await browser.choose("#file", [good, refused]);
      await browser.click("#upload button[type=submit]");
      await world.settled(rows + 1);
      let said = "";
      while (!said.includes("setup.exe")) said = (await browser.textOf("main")) ?? "";
      expect(said).toContain("Été & <b>café 😀.bin");
      expect(said).toContain("exe");
    });
  });
}
