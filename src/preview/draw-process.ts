import { AppError } from "../errors.ts";
import { MIB, SECOND_MS } from "../units.ts";
import { drawCommand, drawingArguments, readySign } from "./draw.ts";
import type { Drawing } from "./drawing.ts";

/**
 * Address space of the process that draws, KiB: the hard bound of its memory. A progressive JPEG of 100 megapixels, which
 * is in memory as a whole, is drawn with 1.25 GiB and not with 1; 0.37 GiB of it is resident then.
 */
const maxAddressSpaceKib = 1408 * 1024;
/** Ends it even when nobody is left to kill it. */
const maxCpuSeconds = 30;
/** Many times what 100 megapixels take. */
const drawTimeoutMs = 20 * SECOND_MS;
/** For the file to come out of storage. */
const feedTimeoutMs = 60 * SECOND_MS;
/** WebP of 320 × 320 pixels that can't be compressed is smaller. */
const maxThumbnailBytes = MIB;

/** No core file, bounded memory, bounded time; then the program itself. */
const underLimits = `ulimit -c 0; ulimit -v ${maxAddressSpaceKib} && ulimit -t ${maxCpuSeconds} && exec "$@"`;
/** Nothing of the server's environment, and no report of a crash goes anywhere. */
const environment = { DO_NOT_TRACK: "1", BUN_ENABLE_CRASH_REPORTING: "0" };

export interface DrawOptions {
  /** What starts this program: the binary, or Bun and the path of main.ts. */
  program: readonly string[];
  /** Of the picture; cancelled when it is not wanted to its end. */
  body: ReadableStream<Uint8Array>;
  /** Ends the process. */
  signal: AbortSignal;
  limits?: { drawTimeoutMs?: number; feedTimeoutMs?: number };
}

/**
 * A thumbnail as WebP, made by a process of its own. Null when the picture can't be drawn: it is broken, or costs more
 * memory or time than it may. Rejects with what is not the picture's fault.
 */
export async function drawInProcess(drawing: Drawing, options: DrawOptions): Promise<Uint8Array | null> {
  let { program, body, signal, limits = {} } = options;
  let child = Bun.spawn(
    ["/bin/sh", "-c", underLimits, "sh", ...program, drawCommand, ...drawingArguments(drawing)],
    {
      cwd: "/",
      env: environment,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    },
  );
  let killed = false;
  let kill = () => {
    killed = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(kill, limits.feedTimeoutMs ?? feedTimeoutMs);
  signal.addEventListener("abort", kill, { once: true });
  try {
    let output = collect(child.stdout, () => {
      clearTimeout(timer);
      timer = setTimeout(kill, limits.drawTimeoutMs ?? drawTimeoutMs);
    });
    await feed(body, child.stdin);
    let { isReady, bytes } = await output;
    let code = await child.exited;
    signal.throwIfAborted();
    if (!isReady)
      throw new AppError("server_busy", `The process that draws did not come to it (exit code ${code}).`);
    if (child.signalCode === "SIGKILL" && !killed)
      throw new AppError("server_busy", "The process that draws was killed.");
    return code === 0 && isWebp(bytes) ? bytes : null;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
    child.kill("SIGKILL");
  }
}

/** Chunk by chunk, so that the file is never whole in this process. */
async function feed(body: ReadableStream<Uint8Array>, stdin: Bun.FileSink): Promise<void> {
  let reader = body.getReader();
  try {
    for (;;) {
      let { done, value } = await reader.read();
      if (done || !value) break;
      try {
        await stdin.write(value);
        await stdin.flush();
      } catch {
        // It has ended, and says by its exit code why.
        break;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
    await Promise.resolve(stdin.end()).catch(() => {});
  }
}

/** The output up to a bound, without the sign in front of it. */
async function collect(stdout: ReadableStream<Uint8Array>, onReady: () => void) {
  let chunks: Uint8Array[] = [];
  let size = 0;
  for await (let chunk of stdout) {
    if (size === 0 && chunk[0] === readySign) onReady();
    size += chunk.byteLength;
    if (size > maxThumbnailBytes) break;
    chunks.push(chunk);
  }
  let all = Buffer.concat(chunks);
  return { isReady: all[0] === readySign, bytes: new Uint8Array(all.subarray(1)) };
}

/** Whole: the container says how long it is. */
export function isWebp(bytes: Uint8Array): boolean {
  let file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 12 || file.toString("latin1", 0, 4) !== "RIFF") return false;
  return file.toString("latin1", 8, 12) === "WEBP" && file.readUInt32LE(4) + 8 === file.length;
}
