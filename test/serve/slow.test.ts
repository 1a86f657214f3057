import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";

import { KIB, MIB } from "../../src/units.ts";
import { bytesOf } from "../store/bodies.ts";
import { createWorld, type World } from "./world.ts";

setDefaultTimeout(60_000);
/** Long enough for a whole crowd to be there before the first of it is cut off. */
const stallSeconds = 3;
/** When nobody has set it. */
const usualStallSeconds = 30;
/** What is sent again and again comes in so much time, far less than would be silence. */
const gapMs = 200;
/** Half of the memory lets 36 files be looked at at the same time (src/admission.ts). */
const crowd = 30;
const most = 36;
const tooLargeCrowd = 60;

let world: World;
let upload: URL;
beforeAll(async () => {
  world = await createWorld("s3", {
    S3_UPLOADS_STALL_TIMEOUT_S: String(stallSeconds),
    S3_UPLOADS_UPLOAD_MEMORY_MB: "32",
    S3_UPLOADS_MAX_FILE_SIZE_MB: "100",
    // A part gets three times as long: more than the bucket is slow here.
    S3_TIMEOUT_S: "4",
  });
  upload = new URL(`${world.server.base}/upload/`);
});
beforeEach(() => world.fake!.script.heal());
afterAll(() => world.close());

/** A sender on a bare socket that says `declaredBytes` and then sends what it is told to. */
async function startSender(name: string, declaredBytes: number) {
  let { promise: answer, resolve } = Promise.withResolvers<string>();
  let text = "";
  let socket = await Bun.connect({
    hostname: upload.hostname,
    port: Number(upload.port),
    socket: {
      data(_socket, bytes) {
        text += bytes.toString();
        if (text.includes("\r\n\r\n")) resolve(text);
      },
      close: () => resolve(text),
    },
  });
  let head = `PUT ${upload.pathname}${name} HTTP/1.1\r\nHost: ${upload.host}\r\nContent-Length: ${declaredBytes}\r\n\r\n`;
  socket.write(head);
  return {
    send: (bytes: Uint8Array) => socket.write(bytes),
    /** Head and begin of the answer, or nothing when the connection closed without one. */
    answer,
    end: () => socket.end(),
  };
}

function put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
  return fetch(new URL(name, upload), { method: "PUT", body: bytes });
}

test("a sender that falls silent is cut off with 408", async () => {
  let { rows, objects } = world.census();
  let sender = await startSender("silent.bin", 10_000);
  sender.send(bytesOf(5000));
  let began = performance.now();
  expect(await sender.answer).toStartWith("HTTP/1.1 408 ");
  expect(performance.now() - began).toBeLessThan(usualStallSeconds * 1000);
  sender.end();
  await world.settled(rows, objects);
});

test("a slow sender that moves is not cut off", async () => {
  let { rows, objects } = world.census();
  let pieces = (stallSeconds * 1000) / gapMs + 5;
  let sender = await startSender("slow.bin", pieces * 100);
  for (let nth = 0; nth < pieces; nth++) {
    sender.send(bytesOf(100));
    await Bun.sleep(gapMs);
  }
  expect(await sender.answer).toStartWith("HTTP/1.1 201 ");
  sender.end();
  await world.settled(rows + 1, objects + 1);
});

test("a crowd of dripping senders does not keep others from the memory", async () => {
  let { rows, objects } = world.census();
  let senders = await Promise.all(
    Array.from({ length: crowd }, (_, nth) => startSender(`drip-${nth}.bin`, 20 * MIB)),
  );
  let drop = bytesOf(20 * KIB);
  let dripping = setInterval(() => senders.forEach(({ send }) => send(drop)), gapMs);
  try {
    let [small, large] = await Promise.all([
      put("small.bin", bytesOf(1000)),
      put("large.bin", bytesOf(20 * MIB)),
    ]);
    expect([small.status, large.status]).toEqual([201, 201]);
  } finally {
    clearInterval(dripping);
    for (let { end } of senders) end();
  }
  await world.settled(rows + 2, objects + 2);
});

test("a crowd beyond that is told to come back, and leaves nothing", async () => {
  let { rows, objects } = world.census();
  let senders = await Promise.all(
    Array.from({ length: tooLargeCrowd }, (_, nth) => startSender(`many-${nth}.bin`, MIB)),
  );
  for (let { send } of senders) send(bytesOf(1000));
  let answers = await Promise.all(senders.map(({ answer }) => answer));
  let statuses = answers.map((answer) => answer.split(" ")[1]);
  let busy = statuses.filter((status) => status === "503");
  expect(busy).toHaveLength(tooLargeCrowd - most);
  expect(statuses.filter((status) => status === "408")).toHaveLength(most);
  for (let { end } of senders) end();
  await world.settled(rows, objects);
});

test("nobody is cut off because the bucket is slow", async () => {
  let { rows, objects } = world.census();
  let slow = { kind: "delay", ms: stallSeconds * 1500 } as const;
  world.fake!.script.fail("UploadPart", slow, { times: 2 });
  let answer = await put("patient.bin", bytesOf(30 * MIB));
  expect(answer.status).toBe(201);
  await world.settled(rows + 1, objects + 1);
});
