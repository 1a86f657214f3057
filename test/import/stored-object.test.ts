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
