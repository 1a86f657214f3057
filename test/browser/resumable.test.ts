import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { MIB } from "../../src/units.ts";
import { startCuttingProxy } from "../resume/cutting-proxy.ts";
import { type LargeFile, makeLargeFile, throughTrouble, troubleMs } from "../resume/trouble.ts";
import { createWorld, type World } from "../serve/world.ts";
import { bytesOf, sha256Of } from "../store/bodies.ts";
import { type Browser, noBrowser, openBrowser } from "../support/browser.ts";
import { startNarrowProxy } from "../support/narrow-proxy.ts";
import { eventually } from "../support/server.ts";

setDefaultTimeout(60_000);

/** Of several pieces, and several times what goes at once. */
const severalBytes = 80e6;

let file: LargeFile;
let several: LargeFile;
let smallBytes = bytesOf(9 * MIB);
let smallFile: string;
beforeAll(() => {
  file = makeLargeFile();
  several = makeLargeFile(severalBytes);
  smallFile = join(dirname(file.path), "small.bin");
  writeFileSync(smallFile, smallBytes);
});
afterAll(() => {
  file.remove();
  several.remove();
});

/** So that there is something to interrupt. */
const slowBytesPerSecond = 8 * MIB;
/** Pauses pass a hundred times faster, and are counted. */
const quickPauses = `(window.pauses = 0, window.later = setTimeout, window.setTimeout = (work, ms) => {
  if (ms < 1000) return later(work, ms);
  pauses += 1;
  return later(work, ms / 100);
}, true)`;
const row = "document.querySelector('#uploads-list li')";
const stateIs = (state: string) => `${row}?.dataset.state === "${state}"`;
const sentMore = (bytes: number) => `${row}?.querySelector("progress").value * ${severalBytes} > ${bytes}`;

describe.skipIf(noBrowser)("a large file on the upload page", () => {
  let world: World;
  let proxy: Awaited<ReturnType<typeof startCuttingProxy>>;
  let page: string;
  beforeEach(async () => {
    world = await createWorld("s3");
    let port = () => Number(new URL(world.server.base).port);
    proxy = await startCuttingProxy(port, () => Infinity, slowBytesPerSecond);
    page = `http://127.0.0.1:${proxy.port}${new URL(world.server.base).pathname}`;
  });
  afterEach(async () => {
    await proxy.stop();
    await world.close();
  });

  async function expectStored(browser: Browser): Promise<void> {
    await browser.until(stateIs("done"), 60_000);
    await world.settled(1);
    let [object] = world.fake!.objects.values();
    expect(new Bun.CryptoHasher("sha256").update(object!.bytes).digest("hex")).toBe(several.sha256);
  }

  test("can be paused, and goes on from there", async () => {
    await using browser = await openBrowser(page);
    await browser.choose("#file", [several.path]);
    await browser.until(sentMore(20e6));
    await browser.click('#uploads-list [data-part="pause"]');
    await browser.until(stateIs("paused"));
    expect(await browser.textOf("#uploads-list li")).toMatch(/of 76 MB · paused/);
    // What the system had taken already may still arrive.
    let sent = -1;
    await eventually(
      async () => {
        sent = proxy.sentBytes;
        await Bun.sleep(500);
        return proxy.sentBytes;
      },
      (now) => now === sent,
    );
    expect(sent).toBeLessThan(severalBytes);
    expect(await browser.ask<string>(`${row}.dataset.state`)).toBe("paused");
    proxy.hurry();
    expect(await browser.textOf('#uploads-list [data-part="retry"]')).toBe("Go on");
    await browser.click('#uploads-list [data-part="retry"]');
    await expectStored(browser);
    expect(proxy.sentBytes).toBeLessThan(severalBytes + 20e6);
  });

  test("is offered to go on after a reload, and goes on when it is chosen again", async () => {
    await using browser = await openBrowser(page);
    await browser.choose("#file", [several.path]);
    await browser.until(sentMore(40e6));
    // Nobody is asked whether to leave: as in a browser that crashes.
    await browser.ask("addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)");
    await browser.goto(page);
    proxy.hurry();
    await browser.until("!document.querySelector('#unfinished').hidden");
    expect(await browser.textOf("#unfinished-text")).toMatch(
      /^Not finished the last time: large\.bin \(\d+ MB of 76 MB sent\)\. It goes on where it stopped when you choose the same file again\.$/,
    );
    expect(await browser.textOf("#unfinished-forget")).toBe("Forget it");
    await browser.choose("#file", [several.path]);
    await browser.until("document.querySelector('#unfinished').hidden");
    await expectStored(browser);
    expect(proxy.sentBytes).toBeLessThan(severalBytes + 20e6);
  });

  test("waits for a line that is gone, however long, and goes on when it is back", async () => {
    await using browser = await openBrowser(page);
    let offline = (is: boolean) => {
      let anySpeed = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
      return browser.view.cdp("Network.emulateNetworkConditions", { offline: is, ...anySpeed });
    };
    await browser.view.cdp("Network.enable");
    await browser.choose("#file", [several.path]);
    await browser.until(sentMore(20e6));
    await browser.ask(quickPauses);
    await offline(true);
    await browser.until("window.pauses >= 8", 30_000);
    await browser.until(stateIs("pausing"));
    proxy.hurry();
    await offline(false);
    await expectStored(browser);
  });

  test("that was cancelled leaves nothing", async () => {
    await using browser = await openBrowser(page);
    await browser.choose("#file", [several.path]);
    await browser.until(sentMore(20e6));
    await browser.click('#uploads-list [data-part="cancel"]');
    await browser.until(stateIs("cancelled"));
    await world.settled(0);
    expect(await browser.ask<number>("Object.keys(localStorage).length")).toBe(0);
  });

  test("is not mixed up when two windows send it", async () => {
    await using one = await openBrowser(page);
    await using two = await openBrowser(page);
    await one.choose("#file", [several.path]);
    await two.choose("#file", [several.path]);
    await one.until(sentMore(10e6));
    await two.until(sentMore(10e6));
    proxy.hurry();
    await one.until(stateIs("done"), 60_000);
    await two.until(stateIs("done"), 60_000);
    await world.settled(2);
    for (let { bytes } of world.fake!.objects.values()) {
      expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(several.sha256);
    }
  });
});

test.skipIf(noBrowser)(
  "a large file gets past a proxy that refuses large requests, in smaller pieces",
  async () => {
    let world = await createWorld("s3", { S3_UPLOADS_RESUMABLE_FROM_MB: "4" });
    let { origin, pathname } = new URL(world.server.base);
    let between = startNarrowProxy(origin);
    try {
      await using browser = await openBrowser(`http://127.0.0.1:${between.port}${pathname}`);
      await browser.choose("#file", [smallFile]);
      await browser.until(stateIs("done"), 60_000);
      await world.settled(1);
      let [object] = world.fake!.objects.values();
      expect(sha256Of(object!.bytes)).toBe(sha256Of(smallBytes));
      expect(between.refused).toBeGreaterThan(0);
    } finally {
      await between.stop();
      await world.close();
    }
  },
);

describe.skipIf(noBrowser)("cut off again and again, while the server dies,", () => {
  test(
    "the upload page brings 200 MB into the bucket",
    () =>
      throughTrouble(file, async (base) => {
        await using browser = await openBrowser(base);
        await browser.ask(quickPauses);
        await browser.choose("#file", [file.path]);
        await browser.until(stateIs("done"), troubleMs);
      }),
    troubleMs,
  );

  test(
    "Uppy brings 200 MB into the bucket",
    () =>
      throughTrouble(file, async (base) => {
        let built = await Bun.build({ entrypoints: [join(import.meta.dir, "uppy-page.js")], format: "iife" });
        await using browser = await openBrowser(base);
        let script = JSON.stringify(await built.outputs[0]!.text());
        // As the devtools do: the page's policy lets no script in.
        await browser.ask(`(0, eval)(${script})`);
        await browser.choose("#for-uppy", [file.path]);
        await browser.ask(`(startUppy(${JSON.stringify(`${base}/tus`)}), true)`);
        await browser.until("globalThis.uppyEnded", troubleMs);
        expect(await browser.ask<string>("uppyEnded")).toBe("successful");
      }),
    troubleMs,
  );
});
