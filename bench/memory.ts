import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { MIB } from "../src/units.ts";
import { type Bucket, startUploads } from "./children.ts";
import { curl } from "./one-file.ts";
import { table } from "./table.ts";
import { measure, type Usage } from "./usage.ts";

const largeMib = 4096;
const manyMib = 32;
const many = 64;

/** The most memory that the server ever has for one very large file, and for many files at once. */
export async function memory(bucket: Bucket, folder: string): Promise<string> {
  let idle = await peakOf(async () => {});
  // without a declared length, and without that much disk
  let large = await peakOf((page) =>
    curl(["-T", "-", `${page}/upload/huge.bin`], `head -c ${largeMib * MIB} /dev/zero`),
  );
  let path = join(folder, "many.bin");
  writeFileSync(path, "");
  truncateSync(path, manyMib * MIB);
  let crowd = await peakOf(async (page) => {
    let one = (_: unknown, i: number) => curl(["-T", path, `${page}/upload/many-${i}.bin`]);
    await Promise.all(Array.from({ length: many }, one));
  });

  async function peakOf(work: (page: string) => Promise<unknown>): Promise<Usage> {
    let server = await startUploads(bucket);
    try {
      return await measure(server.pid, () => work(server.page));
    } finally {
      await server.stop();
    }
  }
  return table([
    [`Memory of s3-uploads, sending to ${bucket.name}`, "peak RSS MiB", "seconds", "CPU s"],
    row("just started", idle),
    row(`one file of ${largeMib} MiB by raw PUT, length not declared`, large),
    row(`${many} files of ${manyMib} MiB at once by raw PUT`, crowd),
  ]);
}

function row(name: string, usage: Usage): string[] {
  return [name, (usage.peakBytes / MIB).toFixed(0), usage.seconds.toFixed(1), usage.cpuSeconds.toFixed(1)];
}
