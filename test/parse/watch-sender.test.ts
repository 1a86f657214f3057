import { describe, expect, test } from "bun:test";

import type { Clock } from "../../src/clock.ts";
import { AppError, toAppError } from "../../src/errors.ts";
import { watchSender } from "../../src/parse/watch-sender.ts";

interface Sender {
  body: ReadableStream<Uint8Array>;
  send(bytes: number): void;
  end(): void;
  breakOff(error: Error): void;
  cancelledWith: unknown[];
}

function createSender(): Sender {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let cancelledWith: unknown[] = [];
  let body = new ReadableStream<Uint8Array>({
    start: (started) => void (controller = started),
    cancel: (reason) => void cancelledWith.push(reason),
  });
  return {
    body,
    send: (bytes) => controller.enqueue(new Uint8Array(bytes)),
    end: () => controller.close(),
    breakOff: (error) => controller.error(error),
    cancelledWith,
  };
}

/** A clock that a test moves; real timers only make the watch look at it. */
function createStoppedClock(): Clock & { pass(ms: number): void } {
  let now = 0;
  return { nowMs: () => now, pass: (ms) => void (now += ms) };
}

const patient = { stallTimeoutMs: 60_000, minBytesPerSecond: 1024 };

function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

describe("a sender that sends", () => {
  test("is handed on chunk by chunk up to its end", async () => {
    let sender = createSender();
    sender.send(3);
    sender.send(5);
    sender.end();
    let sizes: number[] = [];
    for await (let chunk of watchSender(sender.body, patient)) sizes.push(chunk.byteLength);
    expect(sizes).toEqual([3, 5]);
  });

  test("lends a chunk only until the next one is asked for", async () => {
    let sender = createSender();
    sender.send(3);
    sender.send(5);
    let chunks = watchSender(sender.body, patient)[Symbol.asyncIterator]();
    let { value: first } = await chunks.next();
    expect(first.byteLength).toBe(3);
    let { value: second } = await chunks.next();
    expect([first.byteLength, second.byteLength]).toEqual([0, 5]);
    await chunks.return?.();
    expect(second.byteLength).toBe(0);
  });

  test("and has no body at all gives nothing", async () => {
    expect(await Array.fromAsync(watchSender(null, patient))).toEqual([]);
  });

  test("is not blamed for the time in which the consumer is busy", async () => {
    let sender = createSender();
    let pieces = watchSender(sender.body, { stallTimeoutMs: 40, minBytesPerSecond: 1 })[
      Symbol.asyncIterator
    ]();
    sender.send(1);
    await pieces.next();
    await Bun.sleep(150);
    setTimeout(() => sender.send(2), 5);
    expect((await pieces.next()).value?.byteLength).toBe(2);
    await pieces.return?.();
  });

  test("slowly, but fast enough, is kept", async () => {
    let clock = createStoppedClock();
    let sender = createSender();
    let pieces = watchSender(sender.body, { ...patient, clock })[Symbol.asyncIterator]();
    for (let second = 0; second < 300; second += 10) {
      let next = pieces.next();
      clock.pass(10_000);
      sender.send(10_240);
      expect((await next).value?.byteLength).toBe(10_240);
    }
    await pieces.return?.();
  });
});

describe("a sender that does not", () => {
  test("is cut after too long a silence, and its body is cancelled", async () => {
    let sender = createSender();
    let pieces = watchSender(sender.body, { ...patient, stallTimeoutMs: 30 })[Symbol.asyncIterator]();
    sender.send(1);
    await pieces.next();
    let start = performance.now();
    let thrown = await thrownBy(pieces.next());
    expect(thrown).toMatchObject({ code: "upload_stalled" });
    expect(performance.now() - start).toBeGreaterThanOrEqual(29);
    expect(sender.cancelledWith).toEqual([thrown]);
    expect(await thrownBy(pieces.next())).toBe(thrown);
  });

  test("fast enough over a minute of waiting is cut", async () => {
    let clock = createStoppedClock();
    let sender = createSender();
    let pieces = watchSender(sender.body, { ...patient, clock })[Symbol.asyncIterator]();
    let thrown: unknown = null;
    let seconds = 0;
    while (!thrown && seconds < 300) {
      let next = thrownBy(pieces.next());
      clock.pass(10_000);
      seconds += 10;
      sender.send(10_230);
      thrown = await next;
    }
    expect(thrown).toMatchObject({ code: "upload_stalled" });
    expect(seconds).toBe(60);
    expect(sender.cancelledWith).toHaveLength(1);
  });

  test("because this process stood still gets a second look", async () => {
    let sender = createSender();
    let pieces = watchSender(sender.body, { ...patient, stallTimeoutMs: 20 })[Symbol.asyncIterator]();
    let next = pieces.next();
    setTimeout(() => sender.send(7), 25);
    Bun.sleepSync(60);
    expect((await next).value?.byteLength).toBe(7);
    await pieces.return?.();
  });
});

describe("an end before the body's end", () => {
  test("a closed connection is an AppError with the reason as its cause", async () => {
    let sender = createSender();
    let closed = new DOMException("The connection was closed.", "AbortError");
    let next = thrownBy(watchSender(sender.body, patient)[Symbol.asyncIterator]().next());
    sender.breakOff(closed);
    expect(await next).toMatchObject({ code: "bad_request", cause: closed });
  });

  test("a signal ends a wait at once; its reason is thrown when it is an AppError", async () => {
    for (let reason of [new AppError("server_busy"), new DOMException("gone", "AbortError")]) {
      let sender = createSender();
      let stop = new AbortController();
      let pieces = watchSender(sender.body, { ...patient, signal: stop.signal })[Symbol.asyncIterator]();
      let next = thrownBy(pieces.next());
      stop.abort(reason);
      expect(await next).toMatchObject({ code: reason instanceof AppError ? "server_busy" : "bad_request" });
      expect(sender.cancelledWith).toHaveLength(1);
    }
  });

  test("a signal that was given before the first pull counts", async () => {
    let sender = createSender();
    let pieces = watchSender(sender.body, { ...patient, signal: AbortSignal.abort() })[
      Symbol.asyncIterator
    ]();
    expect(await thrownBy(pieces.next())).toMatchObject({ code: "bad_request" });
  });

  test("a consumer that leaves while it waits is not kept waiting", async () => {
    let sender = createSender();
    let pieces = watchSender(sender.body, patient)[Symbol.asyncIterator]();
    let next = pieces.next();
    await pieces.return?.();
    expect((await next).done).toBe(true);
    expect(sender.cancelledWith).toHaveLength(1);
  });

  test("a consumer that leaves cancels the body, and leaves no timer behind", async () => {
    let sender = createSender();
    sender.send(1);
    sender.send(1);
    for await (let chunk of watchSender(sender.body, { ...patient, stallTimeoutMs: 20 })) {
      expect(chunk.byteLength).toBe(1);
      break;
    }
    expect(sender.cancelledWith).toEqual([undefined]);
  });
});

/** Sends the beginning of an upload, which the server has seen `then`; resolves to what it saw and what it answered. */
async function beginUpload(
  stallTimeoutMs: number,
  then: (socket: Bun.Socket) => void,
): Promise<{ seen: unknown; aborted: boolean; answer: string }> {
  let begun = Promise.withResolvers<void>();
  let seen = Promise.withResolvers<unknown>();
  let answer = Promise.withResolvers<string>();
  let aborted = false;
  let server = Bun.serve({
    port: 0,
    async fetch(request, self) {
      self.timeout(request, 0);
      begun.resolve();
      let options = { stallTimeoutMs, minBytesPerSecond: 1 };
      let thrown = await thrownBy(Array.fromAsync(watchSender(request.body, options)));
      aborted = request.signal.aborted;
      seen.resolve(thrown);
      return new Response(null, { status: toAppError(thrown).facts.status });
    },
  });
  await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port!,
    socket: {
      open(socket) {
        socket.write("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin");
        void begun.promise.then(() => then(socket));
      },
      data: (_socket, data) => answer.resolve(data.toString().split("\r\n", 1)[0]!),
      close: () => answer.resolve("closed"),
    },
  });
  let result = { seen: await seen.promise, answer: await answer.promise, aborted };
  await server.stop(true);
  return result;
}

describe("over a real connection", () => {
  test("a silent sender is told 408", async () => {
    let { seen, answer, aborted } = await beginUpload(100, () => {});
    expect(seen).toMatchObject({ code: "upload_stalled" });
    expect(answer).toBe("HTTP/1.1 408 Request Timeout");
    expect(aborted).toBe(false);
  });

  test("a sender that goes away shows in the request's signal", async () => {
    let { seen, aborted } = await beginUpload(60_000, (socket) => socket.terminate());
    expect(seen).toMatchObject({ code: "bad_request" });
    expect(aborted).toBe(true);
  });
});
