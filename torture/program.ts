import { join } from "node:path";

const checkout = join(import.meta.dir, "..");
export const binaryCommand = [join(checkout, "dist", "s3-uploads")];
export const sourceCommand = [process.execPath, join(checkout, "src", "main.ts")];
/** Reads process ids, one a line; when this process has ended, were it by kill -9, the last one is killed and the folder removed, unless `keep` was read. */
const watchdog = `trap "" TERM INT; while read -r pid; do case $pid in keep) keep=yes;; *) last=$pid;; esac; done; kill -9 "$last" 2>/dev/null; test "$keep" || rm -rf "$1"`;
const maxLogBytes = 20_000;

/** One process of the server. */
export interface Program {
  /** Address of the page once it is served; null when the process ended before. */
  up: Promise<string | null>;
  exited: Promise<unknown>;
  isRunning(): boolean;
  /** SIGKILL. */
  kill(): void;
  /** The end of what it has logged. */
  log(): string;
}

/** Starts the server again and again on one data folder. */
export interface Starter {
  /** @param under a command that runs the server, as its own process */
  start(under?: string[]): Program;
  /** @param keep leaves the data folder for looking */
  close(keep: boolean): void;
}

export function createStarter(
  command: readonly string[],
  dataDir: string,
  env: Record<string, string>,
): Starter {
  let watch = Bun.spawn(["sh", "-c", watchdog, "sh", dataDir], { stdin: "pipe", detached: true });
  return {
    start(under = []) {
      let serve = [...under, ...command, "serve", "--port", "0", "--data-dir", dataDir];
      let child = Bun.spawn(serve, {
        cwd: checkout,
        env: { PATH: process.env["PATH"] ?? "", S3_UPLOADS_LOG_LEVEL: "warn", ...env },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      watch.stdin.write(`${child.pid}\n`);
      void watch.stdin.flush();
      let log = "";
      void collect(child.stderr, (text) => (log = (log + text).slice(-maxLogBytes)));
      return {
        up: pageOf(child.stdout),
        exited: child.exited,
        isRunning: () => child.exitCode === null && child.signalCode === null,
        kill: () => child.kill("SIGKILL"),
        log: () => log,
      };
    },
    close(keep) {
      if (keep) watch.stdin.write("keep\n");
      void watch.stdin.end();
    },
  };
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  let decoder = new TextDecoder();
  for await (let chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

async function pageOf(stdout: ReadableStream<Uint8Array>): Promise<string | null> {
  let reader = stdout.getReader();
  let decoder = new TextDecoder();
  for (let text = ""; ;) {
    let { done, value } = await reader.read();
    if (done) return null;
    text += decoder.decode(value, { stream: true });
    let page = /^ {2}Page +(\S+)\n/m.exec(text)?.[1];
    if (page) return page;
  }
}
