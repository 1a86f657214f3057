import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";

import { DAY_MS, HOUR_MS, MIB, SECOND_MS } from "../../src/units.ts";
import { bytesOf, sha256Of } from "../store/bodies.ts";
import { createFakeTime, type FakeTime, fakeTimeMissing } from "../support/fake-time.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { connectRaw, headOfPut } from "../support/raw-sender.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import { startVersitygw, versitygwMissing } from "../support/s3-servers/versitygw.ts";
import {
  censusOf,
  eventually,
  makeDataDir,
  removeDataDir,
  startServer,
  type TestServer,
} from "../support/server.ts";
import { startCurl } from "./curl.ts";

let skip = skipUnlessCi(fakeTimeMissing());
setDefaultTimeout(60_000);

const hourSeconds = HOUR_MS / SECOND_MS;
const yearSeconds = (365 * DAY_MS) / SECOND_MS;
const stallSeconds = 2;

let undo = new AsyncDisposableStack();
afterEach(async () => {
  let doing = undo;
  undo = new AsyncDisposableStack();
  await doing.disposeAsync();
});

async function startUnderFakeTime(env: Record<string, string> = {}, shiftSeconds = 0) {
  let folder = makeDataDir();
  undo.defer(() => removeDataDir(folder));
  let dataDir = makeDataDir();
  undo.defer(() => removeDataDir(dataDir));
  let time = createFakeTime(folder);
  time.shift(shiftSeconds);
  let server = await startServer(dataDir, { ...time.env, ...env });
  undo.defer(() => server.kill());
  return { time, server };
}

interface Row {
  id: number;
  created_at: string;
}

async function put({ base }: TestServer, bytes = bytesOf(1000)): Promise<Row> {
  let answer = await fetch(`${base}/upload/a.bin`, { method: "PUT", body: bytes });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { file: Row }).file;
}

function hoursFromNow({ created_at }: Row): number {
  return Math.round((Date.parse(created_at) - Date.now()) / HOUR_MS) + 0;
}

/** What the process has worked, in hundredths of a second. */
function cpuTicks(pid: number): number {
  let fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

describe.skipIf(skip)("while the clock of the machine is set", () => {
  let jumps: [what: string, seconds: number][] = [
    ["hours ahead", 5 * hourSeconds],
    ["hours back", -5 * hourSeconds],
    ["years ahead", 10 * yearSeconds],
    ["years back", -10 * yearSeconds],
  ];
  for (let [what, seconds] of jumps) {
    test(`${what}: uploads under way go on, a silent sender is told so in time, nothing is lost`, async () => {
      let { time, server } = await startUnderFakeTime({ S3_UPLOADS_STALL_TIMEOUT_S: String(stallSeconds) });
      expect(hoursFromNow(await put(server))).toBe(0);
      let trashed = await put(server);
      let page = { method: "POST", headers: { Accept: "text/html" }, redirect: "manual" } as const;
      let deletion = await fetch(`${server.base}/files/${trashed.id}/delete`, page);
      expect([200, 303]).toContain(deletion.status);

      let moving = startCurl("-T", "-", `${server.base}/upload/moving.bin`);
      let upload = new URL(`${server.base}/upload`);
      let silent = await connectRaw(upload);
      // More than what is looked at before the intent is written.
      await moving.feed(bytesOf(400_000));
      silent.send(headOfPut(upload, "silent.bin", 100_000));
      silent.send(bytesOf(50_000));
      await eventually(
        () => censusOf(server.dataDir),
        ({ intents }) => intents >= 1,
      );
      time.shift(seconds);
      await Bun.sleep(300);
      let ticks = cpuTicks(server.pid);
      for (let tenth = 0; tenth < 7; tenth++) {
        await Bun.sleep(100);
        await moving.feed(bytesOf(10_000));
      }
      expect(cpuTicks(server.pid) - ticks).toBeLessThan(50);
      await moving.feed(null);
      expect((await moving.answer).status).toBe(201);
      expect(await silent.status).toBe(408);
      silent.end();
      expect(hoursFromNow(await put(server))).toBe(Math.round(seconds / hourSeconds));
      expect((await fetch(`${server.base}/readyz`)).status).toBe(200);

      // Thirty seconds have not passed, whatever the clock says.
      let undone = await fetch(`${server.base}/files/restore`, {
        method: "POST",
        body: new URLSearchParams({ id: String(trashed.id) }),
      });
      expect(await undone.json()).toMatchObject({ restored: [trashed.id] });
      time.shift(0);
      expect(hoursFromNow(await put(server))).toBe(0);
      let list = (await (await fetch(`${server.base}/files.json`)).json()) as { rows: Row[] };
      expect(list.rows).toHaveLength(5);
      expect(await server.stop()).toBe(0);
    });
  }

  test("by hours, a key of a retry keeps its answer", async () => {
    let { time, server } = await startUnderFakeTime();
    let ids: number[] = [];
    for (let hours of [0, 5, -5, 0]) {
      time.shift(hours * hourSeconds);
      let headers = { "Idempotency-Key": "once" };
      let answer = await fetch(`${server.base}/upload/a.bin`, { method: "PUT", body: bytesOf(10), headers });
      ids.push(((await answer.json()) as { file_id: number }).file_id);
    }
    expect(new Set(ids).size).toBe(1);
  });
});

describe.skipIf(skip || skipUnlessCi(versitygwMissing()))(
  "with a clock that differs from the bucket's",
  () => {
    let gateway: S3Server;
    let world: { time: FakeTime; server: TestServer };

    async function start(shiftSeconds: number) {
      gateway = await startVersitygw();
      undo.defer(() => gateway.stop());
      let env = {
        S3_BUCKET: gateway.bucket,
        S3_ENDPOINT_URL: gateway.endpointUrl,
        S3_REGION: gateway.region,
        AWS_ACCESS_KEY_ID: gateway.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: gateway.credentials.secretAccessKey,
      };
      world = await startUnderFakeTime(env, shiftSeconds);
    }

    async function roundTrip(): Promise<void> {
      for (let bytes of [bytesOf(1000), bytesOf(12 * MIB)]) {
        let { id } = await put(world.server, bytes);
        let body = await (await fetch(`${world.server.base}/files/${id}/download`)).bytes();
        expect(sha256Of(body)).toBe(sha256Of(bytes));
        expect((await fetch(`${world.server.base}/files/${id}`, { method: "DELETE" })).status).toBe(200);
      }
    }

    for (let hours of [3, -3]) {
      test(`by ${hours} hours at the start, files go in and out`, async () => {
        await start(hours * hourSeconds);
        expect((await fetch(`${world.server.base}/readyz`)).status).toBe(200);
        await roundTrip();
      });

      test(`by ${hours} hours from one moment to the next, files go in and out`, async () => {
        await start(0);
        await roundTrip();
        world.time.shift(hours * hourSeconds);
        await roundTrip();
        world.time.shift(0);
        await roundTrip();
      });
    }
  },
);
