import { afterEach, describe, expect, test } from "bun:test";

import { type ClientLimitsOptions, createClientLimits } from "../../src/web/client-limits.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

let open: TestApp[] = [];
afterEach(() => {
  for (let world of open.splice(0)) world.close();
});

function createLimited(limits: Partial<ClientLimitsOptions>): TestApp {
  let world = createTestApp({ limits });
  open.push(world);
  return world;
}

function from(address: string, headers: Record<string, string> = {}) {
  return { headers, env: { requestIP: () => ({ address }) } };
}

describe("requests of one client", () => {
  test("beyond the limit are 429 with the seconds to wait, and others are served", async () => {
    let world = createLimited({ requestsPerMinute: 6 });
    for (let nth = 0; nth < 6; nth++) {
      expect((await world.ask("/files.json", from("192.0.2.1"))).status).toBe(200);
    }
    let refused = await world.ask("/files.json", from("192.0.2.1"));
    expect(refused.headers.get("Retry-After")).toBe("10");
    await expectError(refused, 429, "too_many_requests");
    expect((await world.ask("/files.json", from("192.0.2.2"))).status).toBe(200);
  });

  test("are counted by token, wherever it is used, and apart from the strangers at its address", async () => {
    let world = createLimited({ requestsPerMinute: 2 });
    let { token } = world.tokens.create({ name: "script", scopes: ["view"] });
    let known = { Authorization: `Bearer ${token}` };
    for (let nth = 0; nth < 2; nth++) await world.ask("/files.json", from(`192.0.2.${nth}`, known));
    expect((await world.ask("/files.json", from("192.0.2.9", known))).status).toBe(429);
    expect((await world.ask("/files.json", from("192.0.2.9"))).status).toBe(200);
  });

  test("count at the sign-in page and for credentials that are no good, too", async () => {
    let world = createLimited({ requestsPerMinute: 3 });
    expect((await world.ask("/sign-in", from("192.0.2.1"))).status).toBe(200);
    let wrong = from("192.0.2.1", { Authorization: "Bearer s3u_wrong" });
    expect((await world.ask("/files.json", wrong)).status).toBe(401);
    expect((await world.ask("/files.json", wrong)).status).toBe(401);
    await expectError(await world.ask("/files.json", wrong), 429, "too_many_requests");
    expect((await world.ask("/sign-in", from("192.0.2.1"))).status).toBe(429);
  });

  test("of an IPv6 network are one client's", async () => {
    let world = createLimited({ requestsPerMinute: 1 });
    expect((await world.ask("/files.json", from("2001:db8::1"))).status).toBe(200);
    expect((await world.ask("/files.json", from("2001:db8::2"))).status).toBe(429);
    expect((await world.ask("/files.json", from("2001:db8:0:1::1"))).status).toBe(200);
  });

  test("to static files and health are never refused", async () => {
    let world = createLimited({ requestsPerMinute: 1 });
    for (let nth = 0; nth < 5; nth++) {
      expect((await world.ask("/healthz", from("192.0.2.1"))).status).toBe(200);
      expect((await world.ask("/static/nothing", from("192.0.2.1"))).status).toBe(404);
    }
  });

  test("come back with time, and never more than a minute's", () => {
    let time = { nowMs: 0 };
    let limits = createClientLimits({ requestsPerMinute: 60, transfers: null }, { nowMs: () => time.nowMs });
    let passed = () => {
      let count = 0;
      try {
        for (;;) {
          limits.countRequest("a", false);
          count++;
        }
      } catch {
        return count;
      }
    };
    expect(passed()).toBe(60);
    time.nowMs += 2_500;
    expect(passed()).toBe(2);
    time.nowMs += 3_600_000;
    expect(passed()).toBe(60);
    // A clock that was set back takes nothing away.
    time.nowMs -= 7_200_000;
    expect(passed()).toBe(0);
    time.nowMs += 1_000;
    expect(passed()).toBe(1);
  });

  test("of this machine are limited when that is said, and else not", async () => {
    let usual = createClientLimits({ requestsPerMinute: null, transfers: null }, { nowMs: () => 0 });
    for (let nth = 0; nth < 100_000; nth++) usual.countRequest("address 127.0.0.1", true);
    let world = createLimited({ requestsPerMinute: 1 });
    await world.ask("/files.json", from("127.0.0.1"));
    expect((await world.ask("/files.json", from("127.0.0.1"))).status).toBe(429);
  });

  test("of very many clients take bounded memory, and 0 is no limit", () => {
    let limits = createClientLimits({ requestsPerMinute: 1, transfers: 0 }, { nowMs: () => 0 });
    limits.countRequest("first", false);
    for (let nth = 0; nth < 10_000; nth++) limits.countRequest(`client ${nth}`, false);
    // The first was forgotten for the last.
    limits.countRequest("first", false);
    for (let nth = 0; nth < 1000; nth++) limits.beginTransfer("a", false);
  });
});

describe("transfers of one client", () => {
  test("beyond the limit are 429, until one has ended, well or not", async () => {
    let world = createLimited({ transfers: 2 });
    let senders = [1, 2].map((nth) => startUpload(world, `slow-${nth}.bin`, "192.0.2.1"));
    await Bun.sleep(10);
    let refused = await world.ask("/upload/third.bin", { method: "PUT", body: "x", ...from("192.0.2.1") });
    expect(refused.headers.get("Retry-After")).toBe("5");
    await expectError(refused, 429, "too_many_requests");
    expect((await world.ask("/files.json", from("192.0.2.1"))).status).toBe(200);
    expect((await startUpload(world, "b.bin", "192.0.2.2").finish()).status).toBe(201);
    senders[0]?.breakOff();
    await senders[0]?.answer.catch(() => {});
    expect((await startUpload(world, "c.bin", "192.0.2.1").finish()).status).toBe(201);
    expect((await senders[1]?.finish())?.status).toBe(201);
  });

  test("are downloads as well, to their last byte or until somebody goes away", async () => {
    let world = createLimited({ transfers: 2 });
    let { id } = await world.addFile("x".repeat(500_000));
    let get = () => world.ask(`/files/${id}/download`, from("192.0.2.1"));
    let first = await get();
    let second = await get();
    expect((await get()).status).toBe(429);
    await first.arrayBuffer();
    let third = await get();
    expect(third.status).toBe(200);
    await second.body?.cancel();
    expect((await world.ask("/files.csv", from("192.0.2.1"))).status).toBe(200);
    expect((await get()).status).toBe(429);
    let head = { ...from("192.0.2.3"), method: "HEAD" };
    for (let nth = 0; nth < 5; nth++) {
      expect((await world.ask(`/files/${id}/download`, head)).status).toBe(200);
    }
    await third.body?.cancel();
  });
});

function startUpload(world: TestApp, name: string, address: string) {
  let { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  let writer = writable.getWriter();
  let answer = Promise.resolve(
    world.ask(`/upload/${name}`, { method: "PUT", body: readable, ...from(address) }),
  );
  void writer.write(new Uint8Array(10)).catch(() => {});
  return {
    answer,
    finish() {
      void writer.close().catch(() => {});
      return answer;
    },
    breakOff() {
      void writer.abort(new Error("gone")).catch(() => {});
    },
  };
}
