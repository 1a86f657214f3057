import { GIB, MIB } from "../src/units.ts";
import { type Bucket, startBun, startUploads } from "./children.ts";
import { table } from "./table.ts";
import { measure, type Usage } from "./usage.ts";

const sendTimeoutMs = 600_000;
const bytesPerMb = 1_000_000;

/** One large file on its way through the server, straight to the bucket, and through the parts of the server's work. */
export async function oneFile(bucket: Bucket, path: string, sizeBytes: number): Promise<string> {
  let form = await throughServer(bucket, (page) => ["-F", `file=@${path}`, `${page}/upload`]);
  let raw = await throughServer(bucket, (page) => ["-T", path, `${page}/upload/large.bin`]);
  let sdk = await straight("sdk");
  let presigned = await straight("fetch");
  let receive = await receiveOnly(path);
  let hash = await receiveOnly(path, "sha256");
  let send = await straight("memory");

  function straight(way: "sdk" | "fetch" | "memory"): Promise<Usage> {
    return straightToBucket(way, bucket, path, sizeBytes);
  }
  function row(name: string, usage: Usage): string[] {
    let perGib = usage.cpuSeconds / (sizeBytes / GIB);
    let speed = sizeBytes / bytesPerMb / usage.seconds;
    return [name, speed.toFixed(0), perGib.toFixed(2), (usage.peakBytes / MIB).toFixed(0)];
  }
  let sumSeconds = hash.cpuSeconds + send.cpuSeconds;
  let rows = table([
    [`One file of ${sizeBytes / MIB} MiB into ${bucket.name}`, "MB/s", "CPU s/GiB", "peak RSS MiB"],
    row("s3-uploads, form (curl -F)", form),
    row("s3-uploads, raw PUT (curl -T)", raw),
    row("straight: AWS SDK, 2 parts of 8 MiB in flight", sdk),
    row("straight: presigned parts by fetch, 2 in flight", presigned),
    row("part: receive only", receive),
    row("part: receive and SHA-256", hash),
    row("part: send only, bytes from memory", send),
    ["sum: receive and SHA-256, and send", "", (sumSeconds / (sizeBytes / GIB)).toFixed(2), ""],
  ]);
  let ratios = table([
    ["Raw PUT through s3-uploads against", "speed", "CPU"],
    ratio("straight by AWS SDK", raw, sdk.seconds, sdk.cpuSeconds),
    ratio("straight by presigned parts", raw, presigned.seconds, presigned.cpuSeconds),
    ratio("the sum of its parts", raw, null, sumSeconds),
  ]);
  return `${rows}\n${ratios}`;
}

function ratio(name: string, usage: Usage, seconds: number | null, cpu: number): string[] {
  let speed = seconds === null ? "" : `${(seconds / usage.seconds).toFixed(2)} x`;
  return [name, speed, `${(usage.cpuSeconds / cpu).toFixed(2)} x`];
}

/** A new server for each, so that its peak is of this upload. */
async function throughServer(bucket: Bucket, target: (page: string) => string[]): Promise<Usage> {
  let server = await startUploads(bucket);
  try {
    return await measure(server.pid, () => curl(target(server.page)));
  } finally {
    await server.stop();
  }
}

async function receiveOnly(path: string, ...args: string[]): Promise<Usage> {
  let child = startBun("receive-only.ts", ...args);
  try {
    let url = await child.line();
    return await measure(child.pid, () => curl(["-T", path, `${url}/large.bin`]));
  } finally {
    await child.stop();
  }
}

async function straightToBucket(way: string, bucket: Bucket, path: string, sizeBytes: number) {
  let { name, endpointUrl, region, bucket: bucketName, credentials } = bucket;
  let place = JSON.stringify({ name, endpointUrl, region, bucket: bucketName, credentials });
  let child = startBun("send-multipart.ts", way, place, path, String(sizeBytes));
  try {
    await child.line();
    return await measure(child.pid, () => {
      child.say("send");
      return child.line(sendTimeoutMs);
    });
  } finally {
    await child.stop();
  }
}

/** Rejects unless the answer is a success. `input` is a shell command whose output curl reads as its stdin. */
export async function curl(args: string[], input?: string): Promise<void> {
  let command = ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", ...args];
  let piped = ["sh", "-c", `${input} | "$@"`, "sh", ...command];
  let child = Bun.spawn(input ? piped : command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) === 0) return;
  throw new Error(`curl: ${await new Response(child.stderr).text()}`);
}
