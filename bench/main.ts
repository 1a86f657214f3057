/**
 * Measures the compiled server on this machine, beside the same bytes sent straight to the same S3 server. Linux only.
 * Nothing passes or fails here: the figures are for reading.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { MIB } from "../src/units.ts";
import { leaveNothing, type ServerName, SERVERS, startBucket } from "./children.ts";
import { memory } from "./memory.ts";
import { oneFile } from "./one-file.ts";
import { smallFiles } from "./small-files.ts";
import { tus } from "./tus.ts";

const help = `bun run bench [options]
  --server NAME   sink (default: keeps nothing, so that the server itself is the limit), miniflare or versitygw
  --size-mib N    size of the large file (default 1024)
  --files N       number of small files (default 1000)
  --tus           resumable uploads, beside a plain PUT and beside tusd where that is installed
  --memory        peak memory instead of speed: one file of 4 GiB, and 64 of 32 MiB at once
`;

let { values } = parseArgs({
  options: {
    server: { type: "string", default: "sink" },
    "size-mib": { type: "string", default: "1024" },
    files: { type: "string", default: "1000" },
    memory: { type: "boolean", default: false },
    tus: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
let name = SERVERS.find((known) => known === values.server);
let sizeMib = Number(values["size-mib"]);
let files = Number(values.files);
let counts = [sizeMib, files].every((count) => Number.isSafeInteger(count) && count > 0);
if (values.help || !name || !counts) {
  process.stdout.write(help);
  process.exit(values.help ? 0 : 2);
}
if (process.platform !== "linux") {
  console.error("bench reads /proc: it runs on Linux only");
  process.exit(2);
}

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-bench-"));
process.on("exit", () => {
  leaveNothing();
  rmSync(folder, { recursive: true, force: true });
});
for (let signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

await run(name);
process.exit(0);

async function run(server: ServerName): Promise<void> {
  let [cpu] = cpus();
  console.log(
    `${cpu?.model.trim() ?? "unknown processor"}, ${availableParallelism()} cores, Bun ${Bun.version}`,
  );
  console.log(`Load average before: ${loadavg()[0]?.toFixed(1)} (near 0, or others' work is in the figures)`);
  console.log(
    "MB = 1,000,000 bytes, MiB = 2^20, GiB = 2^30. CPU: user and system time of the sending or receiving",
  );
  console.log(
    "process alone; curl and the S3 server run on the same cores. Peak RSS: since that process began.\n",
  );
  let bucket = await startBucket(server);
  try {
    if (values.memory) {
      console.log(await memory(bucket, folder));
      return;
    }
    let path = join(folder, "large.bin");
    writeLarge(path);
    if (values.tus) {
      console.log(await tus(bucket, path, sizeMib * MIB));
      return;
    }
    console.log(await oneFile(bucket, path, sizeMib * MIB));
    console.log(await smallFiles(bucket, files));
  } finally {
    await bucket.stop();
  }
}

/** A MiB of random bytes, over and over: what compresses on the way does not find the repetition. */
function writeLarge(path: string): void {
  let descriptor = openSync(path, "w");
  let block = Buffer.alloc(MIB);
  for (let offset = 0; offset < MIB; offset += 65_536) {
    crypto.getRandomValues(block.subarray(offset, offset + 65_536));
  }
  for (let i = 0; i < sizeMib; i++) writeSync(descriptor, block);
  closeSync(descriptor);
}
