import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";

import { KIB, MIB } from "../../src/units.ts";
import { bytesOf } from "../store/bodies.ts";
import { connectRaw, headOfForm, headOfPut, type RawSender } from "../support/raw-sender.ts";
import { createWorld, type World } from "./world.ts";

const clients = 1000;
const stallSeconds = 3;
const memoryMb = 64;
/** The budget, Bun, and what a thousand sockets take. */
const maxRssMib = 400;
const declaredBytes = 200 * KIB;
const sentBytes = 100 * KIB;
setDefaultTimeout(60_000);

let world: World;
afterEach(() => world.close());

/** Resident memory of a process, now and at its peak. */
function memoryOf(pid: number): { rssMib: number; peakMib: number } {
  let status = readFileSync(`/proc/${pid}/status`, "utf8");
  let read = (name: string) =>
    Math.round((Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * KIB) / MIB);
  return { rssMib: read("VmRSS"), peakMib: read("VmHWM") };
}

/** What a client has sent when it falls silent. */
const kinds = [
  (url: URL, sender: RawSender) =>
    sender.send(`PUT ${url.pathname}/head.bin HTTP/1.1\r\nHost: ${url.host}\r\nX-`),
  (url: URL, sender: RawSender, name: string) => sender.send(headOfPut(url, `${name}.bin`, declaredBytes)),
  (url: URL, sender: RawSender, name: string) => {
    sender.send(headOfPut(url, `${name}.bin`, declaredBytes));
    sender.send(bytesOf(sentBytes));
  },
  (url: URL, sender: RawSender, name: string) => {
    sender.send(headOfForm(url, `${name}.bin`, declaredBytes));
    sender.send(bytesOf(sentBytes));
  },
];

test("a thousand senders that fall silent stop nobody else, and are all ended", async () => {
  world = await createWorld("s3", {
    S3_UPLOADS_STALL_TIMEOUT_S: String(stallSeconds),
    S3_UPLOADS_UPLOAD_MEMORY_MB: String(memoryMb),
    S3_UPLOADS_MAX_FILE_SIZE_MB: "20",
    S3_UPLOADS_LOG_LEVEL: "error",
  });
  let { base, pid } = world.server;
  let put = () => fetch(`${base}/upload/small.bin`, { method: "PUT", body: bytesOf(1000) });
  expect((await put()).status).toBe(201);
  await world.settled(1);
  let before = memoryOf(pid);

  let url = new URL(`${base}/upload`);
  let senders = await Promise.all(Array.from({ length: clients }, () => connectRaw(url)));
  for (let [nth, sender] of senders.entries()) kinds[nth % kinds.length]!(url, sender, `stalled-${nth}`);
  await Bun.sleep(500);
  let beganMs = performance.now();
  let paths = ["/healthz", "/readyz", "", "/files", "/files.json", "/files/1", "/files/1/download"];
  let statuses = await Promise.all(paths.map(async (path) => (await fetch(base + path)).status));
  expect(statuses).toEqual(paths.map(() => 200));
  let answeredMs = performance.now() - beganMs;
  let meanwhile = await put();
  // As many files as memory can look at are on their way: whoever comes then is told to come back.
  expect([201, 503]).toContain(meanwhile.status);
  if (meanwhile.status === 503) expect(meanwhile.headers.get("retry-after")).not.toBeNull();
  let during = memoryOf(pid);

  let ends = await Promise.all(senders.map(({ status }) => status));
  await Promise.all(senders.map(({ closed }) => closed));
  let tally = Object.groupBy(ends, (status) => status ?? "closed");
  expect(Object.keys(tally).toSorted()).toEqual(["408", "503", "closed"]);
  expect(tally["closed"]!.length).toBeLessThanOrEqual(clients / kinds.length);
  expect((await put()).status).toBe(201);
  await world.settled(meanwhile.status === 201 ? 3 : 2);
  let after = memoryOf(pid);
  expect(after.peakMib).toBeLessThan(maxRssMib);
  let counts = Object.entries(tally).map(([end, list]) => `${list?.length} ${end}`);
  console.log(
    `${clients} silent senders: ${counts.join(", ")}; ${paths.length} other answers in ${answeredMs.toFixed(0)} ms; ` +
      `RSS ${before.rssMib} MiB before, ${during.rssMib} during, ${after.rssMib} after, peak ${after.peakMib}`,
  );
});
