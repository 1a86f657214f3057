import { get } from "node:http";

import type { Config } from "../config/config.ts";
import { SECOND_MS } from "../units.ts";
import { localUrl } from "./local-url.ts";

const answerTimeoutMs = 3 * SECOND_MS;
const okStatus = 200;

export interface HealthDeps {
  config: Pick<Config, "host" | "port" | "base_path">;
  /** Takes whole lines, their newline included. */
  write: (text: string) => void;
  timeoutMs?: number;
}

/**
 * Asks the server that runs with this configuration whether it is alive, and says so in one line.
 * @returns the exit status: 0 when it answered in time that it is, else 1
 */
export async function runHealth({ config, write, timeoutMs = answerTimeoutMs }: HealthDeps): Promise<number> {
  let url = `${localUrl(config)}/healthz`;
  try {
    let status = await statusOf(url, timeoutMs);
    write(status === okStatus ? `ok    ${url}\n` : `FAIL  ${url} answered ${status}\n`);
    return status === okStatus ? 0 : 1;
  } catch (error) {
    let { message } = error as Error;
    write(`FAIL  ${url} did not answer: ${message.replace(/\s+/g, " ")}\n`);
    return 1;
  }
}

// Not fetch: that would send the question through the proxy which HTTP_PROXY names.
function statusOf(url: string, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let asked = get(url, { agent: false }, (answer) => {
      clearTimeout(timer);
      resolve(answer.statusCode ?? 0);
      asked.destroy();
    });
    let timer = setTimeout(() => {
      reject(new Error(`nothing came within ${timeoutMs / SECOND_MS} seconds`));
      asked.destroy();
    }, timeoutMs);
    asked.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
