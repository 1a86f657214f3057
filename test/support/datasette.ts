import { tmpdir } from "node:os";
import { join } from "node:path";

import { type DatasetteLine, datasetteLines, environmentOf, isInstalled } from "./datasette-environments.ts";
import { freePort } from "./free-port.ts";
import { skipUnlessCi } from "./needs.ts";
import { eventually } from "./server.ts";

const startLimitMs = 60_000;

/** For `describe.skipIf`. */
export const noDatasette = skipUnlessCi(
  datasetteLines.every(isInstalled)
    ? null
    : "Datasette is not installed: the catalog is not tested in it (bun run datasette)",
);

export interface Datasette extends AsyncDisposable {
  /** Without a slash at its end. */
  base: string;
  /** What it has logged until now. */
  log(): string;
  /** The parsed answer; throws for any other status than 200. */
  json<T>(path: string): Promise<T>;
  /** The text of a page; throws for any other status than 200. */
  page(path: string): Promise<string>;
}

/**
 * Runs a real Datasette on a free port, until it is disposed of. Nothing is slow enough for its limits of time, which are
 * for an idle machine.
 *
 * @param given what stands behind `datasette serve`: databases, a folder, options
 */
export async function startDatasette(
  line: DatasetteLine,
  given: string[],
  env: Record<string, string> = {},
): Promise<Datasette> {
  let port = freePort();
  let base = `http://127.0.0.1:${port}`;
  let limits = ["sql_time_limit_ms", "facet_time_limit_ms"].flatMap((name) => ["--setting", name, "20000"]);
  let child = Bun.spawn(
    [join(environmentOf(line), "bin/datasette"), "serve", ...given, "--port", String(port), ...limits],
    {
      env: { PATH: process.env["PATH"] ?? "", HOME: tmpdir(), ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  let log = "";
  for (let stream of [child.stdout, child.stderr]) {
    void (async () => {
      let decoder = new TextDecoder();
      for await (let chunk of stream) log += decoder.decode(chunk, { stream: true });
    })();
  }

  async function get(path: string): Promise<string> {
    let response = await fetch(base + path);
    let text = await response.text();
    if (response.status === 200) return text;
    throw new Error(`${line} ${path}: ${response.status} ${text.slice(0, 500)}\n${log.slice(-2000)}`);
  }
  async function end(): Promise<void> {
    child.kill("SIGKILL");
    await child.exited;
  }

  try {
    let answers = () =>
      fetch(base).then(
        (response) => response.ok,
        () => false,
      );
    await eventually(
      async () => (child.exitCode === null ? await answers() : Promise.reject(new Error(log))),
      (good) => good,
      startLimitMs,
    );
  } catch (error) {
    await end();
    throw error;
  }
  return {
    base,
    log: () => log,
    json: async <T>(path: string) => JSON.parse(await get(path)) as T,
    page: get,
    [Symbol.asyncDispose]: end,
  };
}
