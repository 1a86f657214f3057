/**
 * Starts the compiled binary in an unrelated folder that holds a hostile .env and bunfig.toml, and has it do its job:
 * upload, row, download, delete, a clean end.
 */
import { Database } from "bun:sqlite";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const binary = resolve(process.argv[2] ?? "dist/s3-uploads");
const startTimeoutMs = 10_000;

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-smoke-"));
let failures = 0;
let passes = 0;

function expect(what: string, holds: boolean, found?: unknown): void {
  if (holds) passes++;
  else failures++;
  console.log(`${holds ? "ok  " : "FAIL"}  ${what}${holds ? "" : `: ${JSON.stringify(found)}`}`);
}

function writeTraps(): void {
  writeFileSync(join(folder, ".env"), "S3_UPLOADS_BASE_PATH=/trapped\nS3_BUCKET=trapped\n");
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./trap.ts"]\n');
  writeFileSync(join(folder, "trap.ts"), 'await Bun.write("sprung", "");\n');
}

function start() {
  return Bun.spawn([binary, "serve", "--port", "0"], {
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin" },
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function addressOf(server: ReturnType<typeof start>): Promise<string> {
  let said = "";
  let timer = setTimeout(() => server.kill(), startTimeoutMs);
  for await (let chunk of server.stdout) {
    said += new TextDecoder().decode(chunk);
    let found = /Page\s+(http:\S+)/.exec(said)?.[1];
    if (found && said.includes("Storage")) {
      clearTimeout(timer);
      return found;
    }
  }
  throw new Error(`the server did not start: ${said}${await new Response(server.stderr).text()}`);
}

interface Answer {
  file_id: number;
  url: string;
  file: { checksum_sha256: string };
}

async function uploadOne(page: string, content: string): Promise<void> {
  let form = new FormData();
  form.append("file", new File([content], "smoke \u{1F525}.txt"));
  let response = await fetch(`${page}/upload`, { method: "POST", body: form });
  let answer = (await response.json()) as Answer;
  let sha256 = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  expect(
    "an upload answers 201 with the file's SHA-256",
    response.status === 201 && answer.file.checksum_sha256 === sha256,
    answer,
  );

  let catalog = new Database(join(folder, "data", "uploads.db"), { readonly: true });
  let row = catalog.query("SELECT filename, size_bytes FROM s3_uploads WHERE id = ?").get(answer.file_id);
  catalog.close();
  expect(
    "the row is in data/uploads.db",
    Bun.deepEquals(row, { filename: "smoke \u{1F525}.txt", size_bytes: content.length }),
    row,
  );

  let download = await fetch(new URL(answer.url, page));
  expect("the download gives the bytes back", (await download.text()) === content, download.status);

  let html = await fetch(page, { headers: { Accept: "text/html" } });
  let text = await html.text();
  let assets = [...text.matchAll(/(?:href|src)="([^"]*\/static\/[^"]+)"/g)].map((match) => match[1]!);
  let found = await Promise.all(assets.map(async (path) => (await fetch(new URL(path, page))).status));
  expect(
    "the page and its assets are there",
    html.status === 200 && found.length > 0 && found.every((s) => s === 200),
    found,
  );

  let search = await fetch(`${page}/files.json?_search=smoke&_sort=size_bytes`);
  let { rows } = (await search.json()) as { rows: unknown[] };
  expect("a search in the worker finds it", rows.length === 1, rows);

  let copy = join(folder, "copy.db");
  let snapshot = Bun.spawnSync([binary, "snapshot", copy], { cwd: folder, env: {} });
  expect("a snapshot beside it has the row", rowsIn(copy) === 1, snapshot.stderr.toString());
  let moved = join(folder, "without-wal.db");
  let endMs = performance.now() + startTimeoutMs;
  do {
    await Bun.sleep(100);
    copyFileSync(join(folder, "data", "uploads.db"), moved);
  } while (rowsIn(moved) !== 1 && performance.now() < endMs);
  expect("the row moves from the WAL into the database", rowsIn(moved) === 1);

  let removed = await fetch(`${page}/files/${answer.file_id}`, { method: "DELETE" });
  expect("a delete answers 200", removed.status === 200, removed.status);
}

/** -1 where the table is not there yet. */
function rowsIn(path: string): number {
  let db = new Database(path, { readonly: true });
  try {
    return (db.query("SELECT count(*) AS n FROM s3_uploads").get() as { n: number }).n;
  } catch {
    return -1;
  } finally {
    db.close();
  }
}

writeTraps();
mkdirSync(join(folder, "objects"));
let server = start();
try {
  let page = await addressOf(server);
  expect("a hostile .env changes nothing", page.endsWith("/-/s3-uploads"), page);
  await uploadOne(page, "it works");
  server.kill("SIGTERM");
  expect("SIGTERM ends it with status 0", (await server.exited) === 0, server.exitCode);
  expect("a hostile bunfig.toml runs nothing", !existsSync(join(folder, "sprung")));
  let left = readdirSync(join(folder, "data", "objects"), { recursive: true, withFileTypes: true });
  expect(
    "no object is left",
    left.every((entry) => entry.isDirectory()),
    left,
  );
} finally {
  server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passes} passed, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
