import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { KIB, MIB } from "../../src/units.ts";
import { bytesOf } from "../store/bodies.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { refusedStart } from "../support/refused-start.ts";
import { makeDataDir, removeDataDir, startServer } from "../support/server.ts";
import { mountSmallDisk, type SmallDisk, smallDiskMissing } from "../support/small-disk.ts";
import { startCurl } from "./curl.ts";
import { createWorld, type World } from "./world.ts";

let skip = skipUnlessCi(smallDiskMissing());
setDefaultTimeout(60_000);
/** More uploads than a -wal has room for that is written from its begin again. */
const mostUploads = 300;
const smallBytes = 1000;

let disks: SmallDisk[] = [];
let world: World | null = null;
let folder: string | null = null;
afterEach(async () => {
  // The server first: it holds files of the disks open.
  await world?.server.kill();
  for (let disk of disks.splice(0).toReversed()) disk.unmount();
  await world?.close();
  if (folder) removeDataDir(folder);
  world = null;
  folder = null;
});

function mount(path: string, bytes: number): SmallDisk {
  let disk = mountSmallDisk(path, bytes);
  disks.push(disk);
  return disk;
}

/** A world whose data folder is made, and put on disks, before the server starts. */
async function worldOn(
  on: "local" | "s3",
  layOut: (dataDir: string) => void,
  env?: Record<string, string>,
): Promise<World> {
  let dataDir = makeDataDir();
  layOut(dataDir);
  return (world = await createWorld(on, env, dataDir));
}

async function put(bytes: number, name = "a.bin") {
  let body = bytesOf(bytes);
  let response = await fetch(`${world!.server.base}/upload/${name}`, { method: "PUT", body });
  let { error } = (await response.json()) as { error?: { code: string; message: string } };
  return { status: response.status, error };
}

async function putUntilRefused(): Promise<{ taken: number; refusal: Awaited<ReturnType<typeof put>> }> {
  for (let taken = 0; taken < mostUploads; taken++) {
    let answer = await put(smallBytes);
    if (answer.status !== 201) return { taken, refusal: answer };
  }
  throw new Error("the disk did not fill up");
}

const diskFull = {
  status: 507,
  error: { code: "disk_full", message: "The server has run out of disk space." },
};

/** Reading goes on, and the process is the same. */
async function expectReads(rows: number): Promise<void> {
  let { base } = world!.server;
  let list = (await (await fetch(`${base}/files.json?_size=1000`)).json()) as { rows: { url: string }[] };
  expect(list.rows).toHaveLength(rows);
  let paths = ["", "/files", "/files/1", "/files/1.json", "/files/1/download", "/files.csv", "/healthz"];
  let statuses = await Promise.all(paths.map(async (path) => (await fetch(base + path)).status));
  expect(statuses).toEqual(paths.map(() => 200));
}

describe.skipIf(skip)("while the disk is full an upload is answered 507 and leaves nothing:", () => {
  let places: [what: string, layOut: (dataDir: string) => SmallDisk][] = [
    ["the journal's disk", (dataDir) => mount(join(dataDir, "internal"), MIB)],
    [
      "the catalog's disk",
      (dataDir) => {
        let disk = mount(dataDir, MIB);
        mount(join(dataDir, "internal"), 16 * MIB);
        mount(join(dataDir, "objects"), 16 * MIB);
        return disk;
      },
    ],
    ["the disk of the objects", (dataDir) => mount(join(dataDir, "objects"), MIB)],
    ["the disk of everything", (dataDir) => mount(dataDir, 2 * MIB)],
  ];
  for (let [what, layOut] of places) {
    test(`${what}; with room again uploads work at once`, async () => {
      let disk: SmallDisk | undefined;
      await worldOn("local", (dataDir) => (disk = layOut(dataDir)));
      expect((await put(smallBytes)).status).toBe(201);
      disk!.fill();
      let { taken, refusal } = await putUntilRefused();
      expect(refusal).toMatchObject(diskFull);
      for (let nth = 0; nth < 5; nth++) expect(await put(smallBytes)).toMatchObject(diskFull);
      let { rows, objects } = world!.census();
      expect({ rows, objects }).toEqual({ rows: 1 + taken, objects: 1 + taken });
      await expectReads(1 + taken);
      disk!.free();
      expect((await put(smallBytes)).status).toBe(201);
      await world!.settled(2 + taken);
      expect(await world!.server.stop()).toBe(0);
    });
  }

  test("a file for which the disk has too little room, beside one that fits", async () => {
    let disk: SmallDisk | undefined;
    await worldOn("local", (dataDir) => (disk = mount(join(dataDir, "objects"), 2 * MIB)));
    disk!.fill(500 * KIB);
    expect(await put(700 * KIB)).toMatchObject(diskFull);
    expect((await put(300 * KIB)).status).toBe(201);
    disk!.free();
    await world!.settled(1);
  });

  test("a disk that fills up while files come by form takes back those that were stored", async () => {
    let disk: SmallDisk | undefined;
    await worldOn("local", (dataDir) => (disk = mount(join(dataDir, "objects"), 2 * MIB)));
    disk!.fill(500 * KIB);
    let form = new FormData();
    for (let nth = 0; nth < 4; nth++) form.append("f", new Blob([bytesOf(200 * KIB)]), `${nth}.bin`);
    let response = await fetch(`${world!.server.base}/upload`, { method: "POST", body: form });
    expect(response.status).toBe(507);
    disk!.free();
    await world!.settled(0);
  });
});

test.skipIf(skip)("deletions wait while the journal's disk is full, and the file stays", async () => {
  let disk: SmallDisk | undefined;
  await worldOn("local", (dataDir) => (disk = mount(join(dataDir, "internal"), MIB)));
  expect((await put(smallBytes)).status).toBe(201);
  disk!.fill();
  await putUntilRefused();
  let { rows } = world!.census();
  let remove = async () =>
    (await fetch(`${world!.server.base}/files/1`, { method: "DELETE", headers: { Accept: "*/*" } })).status;
  expect(await remove()).toBe(507);
  await expectReads(rows);
  disk!.free();
  expect(await remove()).toBe(200);
  await world!.settled(rows - 1);
});

test.skipIf(skip)(
  "a spool without room costs the slow sender its upload, with 507, and no other",
  async () => {
    let disk: SmallDisk | undefined;
    await worldOn("s3", (dataDir) => (disk = mount(join(dataDir, "internal", "spool"), MIB)), {
      S3_UPLOADS_UPLOAD_MEMORY_MB: "32",
      S3_UPLOADS_MAX_FILE_SIZE_MB: "100",
    });
    disk!.fill();
    let url = `${world!.server.base}/upload`;
    let slow = Array.from({ length: 4 }, (_, nth) => startCurl("-T", "-", `${url}/slow-${nth}.bin`));
    let drip = (bytes: number) =>
      Promise.all(slow.map(({ feed }) => feed(bytesOf(bytes)).catch(() => undefined)));
    await drip(2 * MIB);
    let quick = put(12 * MIB, "quick.bin");
    let dripping = setInterval(() => void drip(10 * KIB), 200);
    try {
      expect((await quick).status).toBe(201);
      for (let { feed } of slow) await feed(null).catch(() => undefined);
      let statuses = (await Promise.all(slow.map(({ answer }) => answer))).map(({ status, body }) => [
        status,
        body.error?.code,
      ]);
      expect(statuses.filter(([status]) => status === 507).length).toBeGreaterThan(0);
      expect(statuses.every(([status, code]) => status === 201 || code === "disk_full")).toBe(true);
      let taken = statuses.filter(([status]) => status === 201).length;
      disk!.free();
      await world!.settled(1 + taken);
    } finally {
      clearInterval(dripping);
    }
    expect((await put(12 * MIB)).status).toBe(201);
  },
  60_000,
);

test.skipIf(skip)("a cache without room costs no thumbnail, and keeps nothing half", async () => {
  let disk: SmallDisk | undefined;
  let cache = "";
  await worldOn("local", (dataDir) => {
    cache = join(dataDir, "internal", "thumbnails");
    disk = mount(cache, 256 * KIB);
  });
  let picture = await new Bun.Image(await new Response(pnm(600, 400)).bytes()).png().bytes();
  let { base } = world!.server;
  expect((await fetch(`${base}/upload/a.png`, { method: "PUT", body: picture })).status).toBe(201);
  disk!.fill();
  for (let nth = 0; nth < 2; nth++) {
    let answer = await fetch(`${base}/files/1/thumbnail`);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/webp"]);
    expect((await answer.bytes()).length).toBeGreaterThan(20);
  }
  expect(readdirSync(cache)).toEqual([".filler"]);
  expect((await fetch(`${base}/files?view=grid`)).status).toBe(200);
  disk!.free();
  await (await fetch(`${base}/files/1/thumbnail`)).bytes();
  expect(readdirSync(cache)).toHaveLength(1);
});

/** A picture that Bun can read and a test can write. */
function pnm(width: number, height: number): Uint8Array<ArrayBuffer> {
  let rowBytes = Math.ceil((width * 3) / 4) * 4;
  let bytes = Buffer.alloc(54 + rowBytes * height);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let at = 54; at < bytes.length; at++) bytes[at] = (at * 7) & 255;
  return new Uint8Array(bytes);
}

async function sentenceOfStart(): Promise<string> {
  let { exitCode, stdout, stderr } = await refusedStart(folder!);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr.trim().split("\n")).toHaveLength(1);
  return stderr;
}

describe.skipIf(skip)("a start says in one sentence", () => {
  test("that the disk is full, however much of the beginning fits, and works when there is room", async () => {
    folder = makeDataDir();
    let disk = mount(folder, 2 * MIB);
    for (let freeBytes of [0, 8 * KIB, 40 * KIB, 60 * KIB, 100 * KIB]) {
      disk.fill(freeBytes);
      expect(await sentenceOfStart()).toMatch(
        /^s3-uploads: Could not .+: the disk is full\. Make room on it, or change data_dir\.\n$/,
      );
    }
    disk.free();
    await (await startServer(folder)).stop();
  });

  test("that the disk is read-only, with and without data on it", async () => {
    folder = makeDataDir();
    let disk = mount(folder, 2 * MIB);
    let readOnly =
      /^s3-uploads: Could not .+: the disk is read-only\. Make it writable, or change data_dir\.\n$/;
    disk.remount("ro");
    expect(await sentenceOfStart()).toMatch(readOnly);
    disk.remount("rw");
    await (await startServer(folder)).stop();
    disk.remount("ro");
    expect(await sentenceOfStart()).toMatch(readOnly);
    disk.remount("rw");
  });
});
