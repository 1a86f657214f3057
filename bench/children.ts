import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startMiniflare } from "../test/support/s3-servers/miniflare.ts";
import { testBucket, testCredentials } from "../test/support/s3-servers/s3-server.ts";
import { startVersitygw } from "../test/support/s3-servers/versitygw.ts";

const startTimeoutMs = 20_000;
const binary = join(import.meta.dir, "../dist/s3-uploads");

let running = new Set<{ kill(signal: "SIGKILL"): void }>();

let folders = new Set<string>();

/** For the end of this process: none of its children and their folders outlives it. */
export function leaveNothing(): void {
  for (let child of running) child.kill("SIGKILL");
  for (let folder of folders) remove(folder);
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Where an S3 server is and how to sign for it. */
export interface Bucket {
  name: string;
  endpointUrl: string;
  region: string;
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}

export interface Child {
  pid: number;
  /** The next line of its output; a process that is to start ends with an error when that takes too long. */
  line(timeoutMs?: number): Promise<string>;
  say(text: string): void;
  stop(): Promise<void>;
}

export const SERVERS = ["sink", "miniflare", "versitygw"] as const;
export type ServerName = (typeof SERVERS)[number];

export async function startBucket(name: ServerName): Promise<Bucket & { stop(): Promise<void> }> {
  if (name === "miniflare") return startMiniflare();
  if (name === "versitygw") return startVersitygw();
  let child = startBun("sink-s3.ts");
  let endpointUrl = await child.line();
  let rest = { region: "us-east-1", bucket: testBucket, credentials: testCredentials };
  return { name, endpointUrl, ...rest, stop: child.stop };
}

/** Runs a file of this folder as a process of its own. */
export function startBun(script: string, ...args: string[]): Child {
  return start([process.execPath, join(import.meta.dir, script), ...args], {}, "inherit");
}

/** Starts the compiled server on a data folder of its own; `page` is the address of its upload page. */
export async function startUploads(bucket: Bucket): Promise<Child & { page: string }> {
  let dataDir = mkdtempSync(join(tmpdir(), "s3-uploads-bench-data-"));
  folders.add(dataDir);
  let child = start([binary, "serve", "--port", "0", "--data-dir", dataDir], {
    S3_BUCKET: bucket.bucket,
    S3_REGION: bucket.region,
    S3_ENDPOINT_URL: bucket.endpointUrl,
    AWS_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
  });
  for (;;) {
    let page = /Page\s+(http:\S+)/.exec(await child.line())?.[1];
    if (page) return { ...child, page, stop: () => child.stop().then(() => remove(dataDir)) };
  }
}

/** Starts tusd with its S3 store; `page` and `/tus` is its endpoint. */
export async function startTusd(program: string, bucket: Bucket): Promise<Child & { page: string }> {
  let folder = mkdtempSync(join(tmpdir(), "s3-uploads-bench-tusd-"));
  folders.add(folder);
  let options = ["-host", "127.0.0.1", "-port", "0", "-base-path", "/tus", "-disable-cors"];
  let store = ["-s3-bucket", bucket.bucket, "-s3-endpoint", bucket.endpointUrl];
  let child = start([program, ...options, ...store], {
    TMPDIR: folder,
    AWS_REGION: bucket.region,
    AWS_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
  });
  for (;;) {
    let page = /(http:\/\/127\.0\.0\.1:\d+)\/tus/.exec(await child.line())?.[1];
    if (page) return { ...child, page, stop: () => child.stop().then(() => remove(folder)) };
  }
}

function start(
  command: string[],
  env: Record<string, string>,
  stderr: "inherit" | "ignore" = "ignore",
): Child {
  let child = Bun.spawn(command, {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr,
  });
  running.add(child);
  let output = child.stdout.getReader();
  let decoder = new TextDecoder();
  let pending = "";
  return {
    pid: child.pid,
    async line(timeoutMs = startTimeoutMs) {
      let timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
      while (!pending.includes("\n")) {
        let { done, value } = await output.read();
        if (done) throw new Error(`${command.join(" ")} ended: ${pending}`);
        pending += decoder.decode(value, { stream: true });
      }
      clearTimeout(timer);
      let end = pending.indexOf("\n");
      let line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      return line;
    },
    say(text) {
      child.stdin.write(`${text}\n`);
      child.stdin.flush();
    },
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
      running.delete(child);
    },
  };
}
