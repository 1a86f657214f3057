import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

import { type Bucket, startUploads } from "./children.ts";
import { table } from "./table.ts";
import { measure } from "./usage.ts";

const fileBytes = 20_000;
const inFlight = 16;
const warmUpFiles = 100;

interface Load {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Many small files through the server, and straight to the bucket by presigned PUTs. */
export async function smallFiles(bucket: Bucket, count: number): Promise<string> {
  let server = await startUploads(bucket);
  let through: Load;
  let cpuSeconds: number;
  try {
    let urls = Array.from({ length: count + warmUpFiles }, (_, i) => `${server.page}/upload/small-${i}.bin`);
    await putAll(urls.splice(0, warmUpFiles));
    let load: Promise<Load> | null = null;
    let usage = await measure(server.pid, () => (load = putAll(urls)));
    through = await load!;
    cpuSeconds = usage.cpuSeconds;
  } finally {
    await server.stop();
  }
  let urls = await presigned(bucket, count + warmUpFiles);
  await putAll(urls.splice(0, warmUpFiles));
  let direct = await putAll(urls);

  let row = (name: string, load: Load, cpu: string) => [
    name,
    load.perSecond.toFixed(0),
    load.p50Ms.toFixed(1),
    load.p99Ms.toFixed(1),
    cpu,
  ];
  return table([
    [
      `${count} files of ${fileBytes / 1000} KB into ${bucket.name}, ${inFlight} in flight`,
      "files/s",
      "p50 ms",
      "p99 ms",
      "CPU ms/file",
    ],
    row("s3-uploads, raw PUT", through, ((cpuSeconds * 1000) / count).toFixed(2)),
    row("straight: presigned PUT", direct, ""),
    [
      "ratio",
      `${(through.perSecond / direct.perSecond).toFixed(2)} x`,
      `${(through.p50Ms / direct.p50Ms).toFixed(2)} x`,
      `${(through.p99Ms / direct.p99Ms).toFixed(2)} x`,
      "",
    ],
  ]);
}

async function presigned({ endpointUrl, region, bucket, credentials }: Bucket, count: number) {
  let client = new S3Client({
    endpoint: endpointUrl,
    region,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  let run = crypto.randomUUID();
  let keys = Array.from({ length: count }, (_, i) => `bench/${run}/small-${i}.bin`);
  return Promise.all(keys.map((Key) => getSignedUrl(client, new PutObjectCommand({ Bucket: bucket, Key }))));
}

async function putAll(urls: string[]): Promise<Load> {
  let body = crypto.getRandomValues(new Uint8Array(fileBytes));
  let times: number[] = [];
  let next = 0;
  async function worker() {
    while (next < urls.length) {
      let url = urls[next++]!;
      let startMs = performance.now();
      let response = await fetch(url, { method: "PUT", body });
      let text = await response.text();
      if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${text}`);
      times.push(performance.now() - startMs);
    }
  }
  let startMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  let seconds = (performance.now() - startMs) / 1000;
  times.sort((a, b) => a - b);
  let at = (share: number) => times[Math.ceil(times.length * share) - 1]!;
  return { perSecond: times.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}
