import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { testBucket, testCredentials } from "./s3-server.ts";
import type { S3Server } from "./s3-server.ts";

const startTimeoutMs = 5_000;
const pollMs = 20;
/** Runs its arguments until stdin closes, which it does however the parent ends, kill -9 included. */
const untilParentEnds = '"$@" </dev/null & child=$!; read -r _; kill "$child"; wait "$child"';

/** One line that names what is missing, or null when versitygw is installed. For `skipUnlessCi`. */
export function versitygwMissing(): string | null {
  if (findVersitygw()) return null;
  return "versitygw is not installed: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0";
}

function findVersitygw(): string | null {
  let folders = [process.env["PATH"], process.env["GOBIN"], join(homedir(), "go", "bin")];
  return Bun.which("versitygw", { PATH: folders.filter(Boolean).join(delimiter) });
}

/**
 * Starts versitygw (v1.8.0) on an empty temporary folder. It verifies signatures, `x-amz-checksum-*` and
 * `x-amz-content-sha256`, has ListMultipartUploads and ListParts, and answers a repeated Complete with success. Its
 * objects are files: a key can't be a folder of another key.
 */
export async function startVersitygw(): Promise<S3Server> {
  let program = findVersitygw();
  if (!program) throw new Error(versitygwMissing() ?? "");
  let folder = mkdtempSync(join(tmpdir(), "s3-versitygw-"));
  // a folder below the root is a bucket
  mkdirSync(join(folder, testBucket));
  let removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);

  let port = await freePort();
  let { accessKeyId, secretAccessKey } = testCredentials;
  let gateway = Bun.spawn(
    ["sh", "-c", untilParentEnds, "sh", program, "--port", `127.0.0.1:${port}`, "--quiet"].concat(
      "--keep-alive",
      "posix",
      folder,
    ),
    {
      stdin: "pipe",
      stdout: "ignore",
      stderr: "ignore",
      env: { ROOT_ACCESS_KEY_ID: accessKeyId, ROOT_SECRET_ACCESS_KEY: secretAccessKey },
    },
  );
  let stop = async (): Promise<void> => {
    await gateway.stdin.end();
    await gateway.exited;
    process.off("exit", removeFolder);
    removeFolder();
  };
  try {
    await untilListening(port);
  } catch (error) {
    await stop();
    throw error;
  }
  let server = {
    name: "versitygw",
    endpointUrl: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    bucket: testBucket,
    credentials: testCredentials,
    canListUnfinished: true,
    verifiesChecksums: true,
    honoursResponseHeaders: true,
    stop,
  };
  return { ...server, unfinishedUploads: () => unfinishedIn(join(folder, testBucket)) };
}

/** Its folders are `.sgwtmp/multipart/{sha256 of the key}/{upload id}`, so the key comes back as its hash. */
async function unfinishedIn(bucketFolder: string): Promise<{ key: string; uploadId: string }[]> {
  let glob = new Bun.Glob(".sgwtmp/multipart/*/*");
  let found = await Array.fromAsync(glob.scan({ cwd: bucketFolder, onlyFiles: false, dot: true }));
  return found.map((path) => {
    let [, , key = "", uploadId = ""] = path.split("/");
    return { key: `sha256:${key}`, uploadId };
  });
}

/** A TCP port of the loopback address that nobody listened on a moment ago. */
async function freePort(): Promise<number> {
  let probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once("error", reject).listen(0, "127.0.0.1", resolve));
  let address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (!address || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function untilListening(port: number): Promise<void> {
  let deadlineMs = Date.now() + startTimeoutMs;
  while (!(await isListening(port))) {
    if (Date.now() > deadlineMs) throw new Error(`versitygw did not listen on port ${port}`);
    await Bun.sleep(pollMs);
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let socket = connect(port, "127.0.0.1");
    let answer = (listening: boolean) => () => {
      socket.destroy();
      resolve(listening);
    };
    socket.once("connect", answer(true)).once("error", answer(false));
  });
}
