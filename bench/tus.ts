import { homedir } from "node:os";
import { delimiter, join } from "node:path";

import { MIB } from "../src/units.ts";
import { type Bucket, type Child, startTusd, startUploads } from "./children.ts";
import { table } from "./table.ts";
import { measure, type Usage } from "./usage.ts";

type Started = Child & { page: string };

const chunkBytes = 64 * MIB;
const bytesPerMb = 1_000_000;
const tinyRequests = 2_000;
const version = { "Tus-Resumable": "1.0.0" };

/** One large file by resumable upload, beside the same file by a plain PUT, and beside tusd where it is installed. */
export async function tus(bucket: Bucket, path: string, sizeBytes: number): Promise<string> {
  let rows: string[][] = [];
  async function row(
    name: string,
    start: () => Promise<Started>,
    work: (child: Started) => Promise<unknown>,
  ) {
    let child = await start();
    try {
      rows.push([name, ...figures(await measure(child.pid, () => work(child)), sizeBytes)]);
    } finally {
      await child.stop();
    }
  }
  let uploads = () => startUploads(bucket);

  await row("s3-uploads, raw PUT", uploads, (child) => {
    let url = `${child.page}/upload/large.bin`;
    return expectStatus(fetch(url, { method: "PUT", body: Bun.file(path) }), 201);
  });
  await row("s3-uploads, tus, one request", uploads, (child) =>
    upload(endpointOf(child), path, sizeBytes, sizeBytes),
  );
  await row("s3-uploads, tus, pieces of 64 MiB", uploads, (child) =>
    upload(endpointOf(child), path, sizeBytes, chunkBytes),
  );
  await row("s3-uploads, tus, pieces of 5,000,000 bytes", uploads, (child) =>
    upload(endpointOf(child), path, sizeBytes, 5_000_000),
  );
  let folders = [process.env["PATH"], join(homedir(), "go", "bin")].filter(Boolean).join(delimiter);
  let program = Bun.which("tusd", { PATH: folders });
  if (bucket.name === "sink") rows.push(["tusd reads back what it has stored: not with sink", "", "", ""]);
  else if (program) {
    let tusd = () => startTusd(program, bucket);
    await row("tusd, tus, one request", tusd, (child) =>
      upload(endpointOf(child), path, sizeBytes, sizeBytes),
    );
    await row("tusd, tus, pieces of 64 MiB", tusd, (child) =>
      upload(endpointOf(child), path, sizeBytes, chunkBytes),
    );
  } else rows.push(["tusd is not installed: go install github.com/tus/tusd/v2/cmd/tusd@latest", "", "", ""]);

  return `${table([
    [`One file of ${sizeBytes / MIB} MiB into ${bucket.name}`, "MB/s", "CPU s/GiB", "peak RSS MiB"],
    ...rows,
  ])}\n${await tiny(bucket)}`;
}

function endpointOf({ page }: Started): string {
  return `${page}/tus`;
}

function figures({ seconds, cpuSeconds, peakBytes }: Usage, sizeBytes: number): string[] {
  let perGib = cpuSeconds / (sizeBytes / MIB / 1024);
  return [(sizeBytes / bytesPerMb / seconds).toFixed(0), perGib.toFixed(2), (peakBytes / MIB).toFixed(0)];
}

async function upload(endpoint: string, path: string, sizeBytes: number, pieceBytes: number): Promise<void> {
  let url = await begin(endpoint, sizeBytes);
  let file = Bun.file(path);
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    await patch(url, at, file.slice(at, Math.min(sizeBytes, at + pieceBytes)));
  }
}

async function begin(endpoint: string, sizeBytes: number): Promise<string> {
  let headers = { ...version, "Upload-Length": String(sizeBytes), "Upload-Metadata": "filename YS5iaW4=" };
  let response = await expectStatus(fetch(endpoint, { method: "POST", headers }), 201);
  return new URL(response.headers.get("Location")!, endpoint).href;
}

function patch(url: string, offset: number, body: Blob | Uint8Array<ArrayBuffer>): Promise<Response> {
  let type = { "Content-Type": "application/offset+octet-stream" };
  let headers = { ...version, ...type, "Upload-Offset": String(offset) };
  return expectStatus(fetch(url, { method: "PATCH", headers, body }), 204);
}

async function expectStatus(asked: Promise<Response>, status: number): Promise<Response> {
  let response = await asked;
  let text = await response.text();
  if (response.status !== status) throw new Error(`${response.url}: ${response.status} ${text}`);
  return response;
}

/** The smallest requests that a hostile or clumsy client can think of. */
async function tiny(bucket: Bucket): Promise<string> {
  let server = await startUploads(bucket);
  try {
    let url = await begin(`${server.page}/tus`, 8 * MIB);
    let one = new Uint8Array([97]);
    let rows: string[][] = [];
    let at = 0;
    for (let name of ["a PATCH of one byte, the first ones", "the same behind 5 MB that wait for a part"]) {
      let usage = await measure(server.pid, async () => {
        for (let end = at + tinyRequests; at < end; at++) await patch(url, at, one);
      });
      rows.push([name, ...each(usage)]);
      if (at > tinyRequests) continue;
      await patch(url, at, new Uint8Array(5_000_000));
      at += 5_000_000;
    }
    let heads = await measure(server.pid, async () => {
      for (let i = 0; i < tinyRequests; i++) {
        await expectStatus(fetch(url, { method: "HEAD", headers: version }), 200);
      }
    });
    return table([
      ["Small requests, one after the other", "ms", "CPU ms"],
      ...rows,
      ["HEAD", ...each(heads)],
    ]);
  } finally {
    await server.stop();
  }
}

function each({ seconds, cpuSeconds }: Usage): string[] {
  return [((seconds * 1000) / tinyRequests).toFixed(2), ((cpuSeconds * 1000) / tinyRequests).toFixed(2)];
}
