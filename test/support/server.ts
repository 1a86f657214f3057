import { Database } from "bun:sqlite";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const checkout = join(import.meta.dir, "..", "..");
/** Ends the server and removes its folder when this process has ended, were it by kill -9: then stdin closes. */
const watchdog = `trap "" TERM INT; read -r _; kill -9 "$1" 2>/dev/null; rm -rf "$2"`;

export interface TestServer {
  /** Address of the page, without a slash at its end. */
  base: string;
  dataDir: string;
  pid: number;
  /** What it has printed until now, as it is when the server listens. */
  banner(): string;
  /** What it has logged until now. */
  stderr(): string;
  /** The exit code, of a server that ends by itself. */
  exited: Promise<number>;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/**
 * Runs `serve` from the source as a process of its own on a free port, or on `env.PORT`; nothing of this process's environment counts.
 *
 * @param under a command that runs the server, as its own process
 */
export async function startServer(
  dataDir: string,
  env: Record<string, string> = {},
  under: string[] = [],
): Promise<TestServer> {
  let serve = [process.execPath, "src/main.ts", "serve", "--port", env["PORT"] ?? "0", "--data-dir", dataDir];
  let server = Bun.spawn([...under, ...serve], {
    cwd: checkout,
    env: { PATH: process.env["PATH"] ?? "", TMPDIR: tmpdir(), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let watch = Bun.spawn(["sh", "-c", watchdog, "sh", String(server.pid), dataDir], {
    stdin: "pipe",
    detached: true,
  });
  let log = "";
  void (async () => {
    let decoder = new TextDecoder();
    for await (let chunk of server.stderr) log += decoder.decode(chunk, { stream: true });
  })();
  async function end(signal: "SIGTERM" | "SIGKILL"): Promise<number> {
    server.kill(signal);
    let code = await server.exited;
    watch.kill("SIGKILL");
    return code;
  }
  let banner = "";
  let decoder = new TextDecoder();
  let reader = server.stdout.getReader();
  let page: string | undefined;
  while (page === undefined) {
    let { done, value } = await reader.read();
    if (done) {
      await end("SIGKILL");
      throw new Error(`the server did not start: ${banner}${log}`);
    }
    banner += decoder.decode(value, { stream: true });
    page = /^ {2}Page +(\S+)\n/m.exec(banner)?.[1];
  }
  return {
    base: page,
    dataDir,
    pid: server.pid,
    banner: () => banner,
    stderr: () => log,
    exited: server.exited,
    stop: () => end("SIGTERM"),
    async kill() {
      await end("SIGKILL");
    },
  };
}

export function makeDataDir(): string {
  return mkdtempSync(join(tmpdir(), "s3-uploads-serve-"));
}

export function removeDataDir(dataDir: string): void {
  rmSync(dataDir, { recursive: true, force: true });
}

/** What a server has in its folder: rows, files in storage and on their way, intents that are open. */
export function censusOf(dataDir: string) {
  return {
    rows: count(join(dataDir, "uploads.db"), "s3_uploads"),
    intents: count(join(dataDir, "internal", "state.db"), "intents"),
    /** Uploads in parts whose id is in the journal. */
    multipart: count(join(dataDir, "internal", "state.db"), "intents WHERE multipart_upload_id IS NOT NULL"),
    files: filesIn(join(dataDir, "objects")),
    spooled: filesIn(join(dataDir, "internal", "spool")),
  };
}

function count(path: string, table: string): number {
  using db = new Database(path, { readonly: true });
  return (db.query(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  let entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Asks again and again until it is so; throws after `limitMs` with what was there last. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  good: (seen: T) => boolean,
  limitMs = 25_000,
) {
  let endMs = performance.now() + limitMs;
  for (;;) {
    let seen = await look();
    if (good(seen)) return seen;
    if (performance.now() > endMs) throw new Error(`still ${JSON.stringify(seen)} after ${limitMs} ms`);
    await Bun.sleep(20);
  }
}
