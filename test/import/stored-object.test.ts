import { expect, test } from "bun:test";

import { createObjectReader } from "../../src/import/stored-object.ts";
import type { Storage } from "../../src/store/storage.ts";

/** A storage that opens every object with this body. */
function opening(body: (signal: AbortSignal | undefined) => ReadableStream<Uint8Array>): Storage {
  let open: Storage["open"] = async (_key, _range, signal) => ({
    body: body(signal),
    sizeBytes: 10,
    userMetadata: {},
  });
  return { open } as Partial<Storage> as Storage;
}

test("a body that falls silent counts as storage that can't be reached, and its connection is let go", async () => {
  let opened = 0;
  let ended = 0;
  let storage = opening((signal) => {
    opened++;
    return new ReadableStream({
      start(controller) {
        signal?.addEventListener("abort", () => {
          ended++;
          controller.error(signal.reason);
        });
      },
    });
  });
  let options = { keepPosition: true, signal: new AbortController().signal, stallMs: 5 };
  let reading = createObjectReader(storage, options).read({ key: "a", sizeBytes: 10 }, (found) =>
    found.inspect("a", false),
  );
  await expect(reading).rejects.toMatchObject({ code: "storage_unavailable" });
  expect([opened, ended]).toEqual([3, 3]);
});

test("a body that nobody wants is cancelled", async () => {
  let cancelled = 0;
  let storage = opening(() => new ReadableStream({ cancel: () => void cancelled++ }));
  let options = { keepPosition: true, signal: new AbortController().signal };
  expect(
    await createObjectReader(storage, options).read({ key: "a", sizeBytes: 10 }, async () => "done"),
  ).toBe("done");
  expect(cancelled).toBe(1);
});

for (let [what, breakOff] of [
  ["breaks off", (controller) => controller.error(new TypeError("reset"))],
  ["ends before its end", (controller) => controller.close()],
] as [string, (controller: ReadableStreamDefaultController) => void][]) {
  test(`a body that ${what} is read on from there`, async () => {
    let bytes = new TextEncoder().encode("0123456789");
    let ranges: unknown[] = [];
    let open: Storage["open"] = async (_key, range) => {
      ranges.push(range);
      let first = range?.first ?? 0;
      let body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            controller.enqueue(bytes.subarray(first, first + 4));
            first += 4;
            if (first >= bytes.length) controller.close();
            else if (ranges.length < 3) breakOff(controller);
          },
        },
        { highWaterMark: 0 },
      );
      return { body, sizeBytes: 10, userMetadata: {} };
    };
    let options = { keepPosition: true, signal: new AbortController().signal };
    let storage = { open } as Partial<Storage> as Storage;
    let { sha256, sizeBytes } = await createObjectReader(storage, options).read(
      { key: "a", sizeBytes: 10 },
      (found) => found.inspect("a", false),
    );
    expect([sizeBytes, sha256]).toEqual([10, new Bun.CryptoHasher("sha256").update(bytes).digest("hex")]);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.length).toBeGreaterThan(1);
  });
}
