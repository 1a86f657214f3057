/**
 * Takes the pictures of README: a server of its own, files made here, a real browser. Needs Chromium, and Datasette
 * (bun run datasette).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openBrowser } from "../test/support/browser.ts";
import { startDatasette } from "../test/support/datasette.ts";
import { freePort } from "../test/support/free-port.ts";
import { makeDataDir, removeDataDir, startServer } from "../test/support/server.ts";

const target = join(import.meta.dir, "../docs/screenshots");
const width = 1200;
const height = 760;

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-screenshots-"));
let dataDir = makeDataDir();
let port = String(freePort());
let server = await startServer(dataDir, {
  S3_UPLOADS_BLOCKED_EXTENSIONS: "exe",
  PORT: port,
  S3_UPLOADS_PUBLIC_URL: `http://127.0.0.1:${port}`,
});
try {
  mkdirSync(target, { recursive: true });
  let pictures = [
    "harbour at dusk.bmp",
    "field notes – page 12.bmp",
    "roof, north side.bmp",
    "map of the survey.bmp",
  ];
  let paths = pictures.map((name, nth) => fileOf(name, landscape(nth)));
  let others = [
    fileOf(
      "interview-transcript.txt",
      "Q: When did you first see it?\nA: In the spring, from the harbour.\n",
    ),
    fileOf("measurements.csv", "station,depth_m,temperature_c\nA1,4.2,11.8\nA2,9.7,10.4\nB1,3.1,12.2\n"),
    fileOf("setup.exe", "MZ"),
  ];
  await take("upload", server.base, async (browser) => {
    await browser.choose("#file", [...paths.slice(0, 2), ...others]);
    await browser.until(`document.querySelector("#uploads-text").innerText.includes("stored")`);
  });

  for (let path of paths.slice(2)) await upload(path);

  await take("files", `${server.base}/files?view=grid`, async (browser) => {
    await browser.until(`[...document.querySelectorAll(".thumb img")].every((image) => image.complete)`);
  });
  let picture = await newest();
  await take("file", `${server.base}/files/${picture}`, async () => {});

  // Without the map, whose tiles come from elsewhere.
  let plugins = { DATASETTE_LOAD_PLUGINS: "datasette-json-html" };
  await using datasette = await startDatasette("alpha", [dataDir], plugins);
  await take("datasette", `${datasette.base}/uploads/s3_uploads_images`, async (browser) => {
    // Past the descriptions of the columns, to the rows.
    await browser.ask(`document.querySelector(".table-summary").scrollIntoView()`);
  });
} finally {
  await server.kill();
  removeDataDir(dataDir);
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

function fileOf(name: string, content: string | Uint8Array): string {
  let path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function upload(path: string): Promise<void> {
  let name = encodeURIComponent(path.slice(folder.length + 1));
  await fetch(`${server.base}/upload/${name}`, { method: "PUT", body: Bun.file(path) });
}

async function newest(): Promise<number> {
  let answer = await fetch(`${server.base}/files.json?kind=image&_size=1`);
  let { rows } = (await answer.json()) as { rows: { id: number }[] };
  return rows[0]!.id;
}

async function take(
  name: string,
  address: string,
  prepare: (browser: Awaited<ReturnType<typeof openBrowser>>) => Promise<void>,
): Promise<void> {
  await using browser = await openBrowser(address);
  await browser.view.resize(width, height);
  await prepare(browser);
  await Bun.sleep(1500);
  let shot = await browser.view.screenshot();
  let png = new Uint8Array(await new Response(shot).arrayBuffer());
  let webp = await new Bun.Image(png).webp({ quality: 88 }).bytes();
  await Bun.write(join(target, `${name}.webp`), webp);
  console.log(`${name}.webp  ${webp.byteLength} bytes`);
}

/** A sky over hills, as a BMP: pictures that nobody has to give permission for. */
function landscape(seed: number): Uint8Array {
  let [w, h] = [480, 320];
  let file = new Uint8Array(54 + w * h * 3);
  let view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, w, true);
  view.setInt32(22, h, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  let skies = [
    [230, 140, 90],
    [120, 170, 220],
    [200, 190, 230],
    [110, 190, 190],
  ];
  let [red = 0, green = 0, blue = 0] = skies[seed % skies.length] ?? [];
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let hill = 90 + 40 * Math.sin(x / 60 + seed * 2) + 18 * Math.sin(x / 23 + seed);
      let light = 0.55 + 0.45 * (y / h);
      let near = Math.max(0.25, y / hill);
      let colour = y < hill ? [40 * near, 92 * near, 70 * near] : [red * light, green * light, blue * light];
      file.set([colour[2] ?? 0, colour[1] ?? 0, colour[0] ?? 0], 54 + (y * w + x) * 3);
    }
  }
  return file;
}
