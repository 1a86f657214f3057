import { describe, expect, test } from "bun:test";

import type { ByteStream } from "../../src/domain.ts";
import type { Advance, ObjectToMake, Storage, StoredPart } from "../../src/store/storage.ts";
import { KIB, TIB } from "../../src/units.ts";
import { bytesOf, inChunks, oddChunks, sha256Of, thenFailure } from "./bodies.ts";
import type { StorageUnderTest } from "./storage-contract.ts";

const slowMs = 60_000;
/** More than is held before anything is stored. */
const manyBytes = 700 * KIB;

/** Keeps the state of one file as the engine does, in memory. */
export function createKeeper(storage: Storage, key: string, partBytes: number) {
  let offsetBytes = 0;
  let storedBytes = 0;
  let held = new Uint8Array(0);
  let parts: StoredPart[] = [];
  let uploadId: string | null = null;
  let object: ObjectToMake = { key, contentType: "application/x-test", userMetadata: { a: "b" } };

  function state() {
    let bytes = held;
    let readInto = (target: Uint8Array, position: number) =>
      target.set(bytes.subarray(position, position + target.length));
    return {
      partBytes,
      uploadId,
      offsetBytes,
      storedBytes,
      held: { byteLength: bytes.byteLength, readInto },
    };
  }

  async function commit(advance: Advance): Promise<void> {
    // As slow as a disk: parts must not overtake each other meanwhile.
    await Bun.sleep(1);
    let fresh = Buffer.concat(advance.held);
    let heldSince = storedBytes + held.byteLength;
    ({ offsetBytes, storedBytes } = advance);
    parts.push(...advance.parts);
    held = storedBytes >= heldSince ? new Uint8Array(fresh) : new Uint8Array(Buffer.concat([held, fresh]));
    expect(storedBytes + held.byteLength).toBe(offsetBytes);
  }

  return {
    get offsetBytes() {
      return offsetBytes;
    },
    receive: (
      body: ByteStream,
      { mostBytes = TIB, keep = commit }: { mostBytes?: number; keep?: typeof commit } = {},
    ) =>
      storage.resumable.receive({
        ...state(),
        lastPart: parts.at(-1) ?? null,
        mayHaveStrays: false,
        body,
        mostBytes,
        object: () => object,
        async onMultipartCreated(id) {
          uploadId = id;
        },
        commit: keep,
        signal: new AbortController().signal,
      }),
    complete: (sha256: string | null = null) =>
      storage.resumable.complete({
        ...state(),
        object,
        parts,
        sha256,
        signal: new AbortController().signal,
      }),
    abort: () => storage.abortMultipart(key, uploadId ?? "none"),
  };
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("not this time"));
}

/** What every storage does with a file that comes in pieces. */
export function resumableContract(under: () => StorageUnderTest, newKey: () => string): void {
  let keeperOf = (key: string) => createKeeper(under().storage, key, under().partBytes);
  let read = async (key: string) =>
    new Uint8Array(await new Response((await under().storage.open(key)).body).arrayBuffer());

  describe("a file that comes in pieces", () => {
    let sizes: [string, (partBytes: number) => number][] = [
      ["0 bytes", () => 0],
      ["1 byte", () => 1],
      ["a part less one byte", (partBytes) => partBytes - 1],
      ["a part", (partBytes) => partBytes],
      ["a part and one byte", (partBytes) => partBytes + 1],
      ["three parts and a rest", (partBytes) => 3 * partBytes + 77],
    ];
    for (let [label, sizeOf] of sizes) {
      test(
        `is whole: ${label}`,
        async () => {
          let bytes = bytesOf(sizeOf(under().partBytes));
          let key = newKey();
          let keeper = keeperOf(key);
          let ends = [0.1, 0.1, 0.5, 0.51, 0.999, 1].map((share) => Math.ceil(bytes.length * share));
          let at = 0;
          for (let end of ends) {
            let piece = bytes.subarray(at, end);
            await keeper.receive(inChunks(piece, oddChunks), { mostBytes: piece.length });
            expect(keeper.offsetBytes).toBe(end);
            at = end;
          }
          let sha256 = sha256Of(bytes);
          expect(await keeper.complete()).toEqual({ sha256 });
          expect(sha256Of(await read(key))).toBe(sha256);
          expect(await under().storage.head(key)).toMatchObject({
            sizeBytes: bytes.length,
            contentType: "application/x-test",
            userMetadata: { a: "b" },
          });
        },
        slowMs,
      );
    }

    test("in one piece of unknown length is whole", async () => {
      let bytes = bytesOf(under().partBytes + 5);
      let key = newKey();
      let keeper = keeperOf(key);
      await keeper.receive(inChunks(bytes));
      await keeper.complete(sha256Of(bytes));
      expect(sha256Of(await read(key))).toBe(sha256Of(bytes));
    });

    test("goes on behind what was committed when a body fails", async () => {
      let bytes = bytesOf(2 * under().partBytes + 100);
      let key = newKey();
      let keeper = keeperOf(key);
      await keeper.receive(inChunks(bytes.subarray(0, manyBytes)));
      let failing = thenFailure(bytes.subarray(manyBytes, -50), new Error("refused"));
      await expect(keeper.receive(failing)).rejects.toThrow("refused");
      expect(keeper.offsetBytes).toBeGreaterThanOrEqual(manyBytes);
      await keeper.receive(inChunks(bytes.subarray(keeper.offsetBytes)));
      await keeper.complete();
      expect(sha256Of(await read(key))).toBe(sha256Of(bytes));
    });

    test("keeps nothing of bytes that were not committed", async () => {
      let bytes = bytesOf(2 * under().partBytes + 100);
      let other = bytes.toReversed();
      let key = newKey();
      let keeper = keeperOf(key);
      await keeper.receive(inChunks(bytes.subarray(0, manyBytes)));
      await expect(keeper.receive(inChunks(other), { keep: refuse })).rejects.toThrow("not this time");
      expect(keeper.offsetBytes).toBe(manyBytes);
      await keeper.receive(inChunks(bytes.subarray(manyBytes)));
      await keeper.complete();
      expect(sha256Of(await read(key))).toBe(sha256Of(bytes));
    });

    test("is completed once more after an answer was lost", async () => {
      let bytes = bytesOf(under().partBytes + 100);
      let key = newKey();
      let keeper = keeperOf(key);
      await keeper.receive(inChunks(bytes));
      await keeper.complete();
      expect(await keeper.complete()).toEqual({ sha256: sha256Of(bytes) });
      expect(sha256Of(await read(key))).toBe(sha256Of(bytes));
    });

    test("leaves nothing when it is given up, and is gone then", async () => {
      let before = await under().countUnfinished();
      let key = newKey();
      let keeper = keeperOf(key);
      await keeper.receive(inChunks(bytesOf(under().partBytes + 100)));
      await keeper.abort();
      await keeper.abort();
      expect(await under().countUnfinished()).toBe(before);
      await expect(keeper.complete()).rejects.toMatchObject({ code: "gone" });
      expect(await under().storage.head(key)).toBeNull();
    });
  });
}
