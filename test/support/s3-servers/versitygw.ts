import { mkdirSync, mkdtempSync } from "node:fs";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { freePort } from "../free-port.ts";
import { spawnLeashed } from "./leashed.ts";
import { testBucket, testCredentials } from "./s3-server.ts";
import type { S3Server } from "./s3-server.ts";

const startTimeoutMs = 25_000;
const pollMs = 20;
/** One line that names what is missing, or null when versitygw is installed. For `skipUnlessCi`. */
export function versitygwMissing(): string | null {
  if (findVersitygw()) return null;
  return "versitygw is not installed: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0";
}

export function findVersitygw(): string | null {
  let folders = [process.env["PATH"], process.env["GOBIN"], join(homedir(), "go", "bin")];
  return Bun.which("versitygw", { PATH: folders.filter(Boolean).join(delimiter) });
}

/**
 * Starts versitygw (v1.8.0) on an empty temporary folder. It verifies signatures, `x-amz-checksum-*` and
 * `x-amz-content-sha256`, has ListMultipartUploads and ListParts, and answers a repeated Complete with success. Its
 * objects are files: a key can't be a folder of another key.
 * @param options.users keeps accounts beside the root's, for `addRestrictedUser`
 * @param options.versions lets buckets be versioned
 */
export async function startVersitygw({ users = false, versions = false } = {}): Promise<S3Server> {
  let program = findVersitygw();
  if (!program) throw new Error(versitygwMissing() ?? "");
  let folder = mkdtempSync(join(tmpdir(), "s3-versitygw-"));
  let inside = (name: string) => {
    let path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  let root = inside("buckets");
  // a folder below the root is a bucket
  let bucketFolder = inside(join("buckets", testBucket));
  let port = freePort();
  let options = ["--port", `127.0.0.1:${port}`, "--quiet", "--keep-alive"];
  if (users) options.push("--iam-dir", inside("users"));
  let posix = ["posix", ...(versions ? ["--versioning-dir", inside("versions")] : [])];
  let gateway = spawnLeashed([program, ...options, ...posix, root], folder, {
    ROOT_ACCESS_KEY_ID: testCredentials.accessKeyId,
    ROOT_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
  });
  try {
    await untilListening(port);
  } catch (error) {
    await gateway.stop();
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
    stop: gateway.stop,
  };
  return { ...server, unfinishedUploads: () => unfinishedIn(bucketFolder) };
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
