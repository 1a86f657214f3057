import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";

import { AppError } from "../../src/errors.ts";
import { compareByteOrder } from "../../src/store/byte-order.ts";
import { readUserMetadata, userMetadataOf } from "../../src/store/keys.ts";
import type { ObjectInfo, Storage } from "../../src/store/storage.ts";
import { KIB, MIB } from "../../src/units.ts";
import { bytesOf, inChunks, oddChunks, putRequest, sha256Of, thenFailure, thenSilence } from "./bodies.ts";
import { resumableContract } from "./resumable-contract.ts";

export interface StorageUnderTest {
  storage: Storage;
  /** Larger bodies go in parts of this size, where the storage knows parts. */
  partBytes: number;
  /** How many objects the listing test makes; more than one page of S3 (1,000) where that is quick. */
  manyObjects: number;
  /** What puts have begun and neither ended nor undone, seen past the storage itself. */
  countUnfinished(): Promise<number>;
  close(): Promise<void>;
}

const uid = "0192d3f4-5a6b-7c8d-9e0f-123456789abc";
const slowMs = 60_000;
/** A rejection after an abort comes at once. A test that ran into its time-out would take the server with it. */
const promptMs = 10_000;
/** S3 tells no smaller part of the time. */
const wholeSecondMs = 1_000;
/** In byte order. The pairs tell listings apart that sort folder by folder, by UTF-16 unit, or without regard to case. */
const awkwardKeys = [
  "A",
  "Z.txt",
  "a b.txt",
  "a!b",
  "a+b=c@d,e.txt",
  "a-b/c",
  "a.b",
  "a/b",
  "a/b.c",
  "a/c/d",
  "a0",
  "a_b",
  "ab",
  "b%2Fc",
  "b&<c>'\"",
  "b/%",
  "ä",
  "日本",
  "\uFB03",
  "🎉",
];

/** What every Storage does, whatever is behind it. */
export function storageContract(name: string, make: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let made: StorageUnderTest;
    let storage: Storage;
    let run = `contract-${Bun.randomUUIDv7()}/`;
    let count = 0;
    let newKey = (): string => `${run}${String(count++).padStart(6, "0")}.bin`;
    beforeAll(async () => {
      made = await make();
      storage = made.storage;
    });
    afterAll(() => made.close());
    let unfinishedBefore = 0;
    beforeEach(async () => {
      unfinishedBefore = await made.countUnfinished();
    });

    let read = async (key: string, range?: { first: number; last: number }): Promise<Uint8Array> =>
      new Uint8Array(await new Response((await storage.open(key, range)).body).arrayBuffer());
    let store = async (bytes: Uint8Array, key = newKey()): Promise<string> => {
      await storage.put(putRequest(key, bytes));
      return key;
    };

    async function leavesNothing(key: string): Promise<void> {
      expect(await storage.head(key)).toBeNull();
      expect(await made.countUnfinished()).toBe(unfinishedBefore);
      expect(await Array.fromAsync(storage.list(key))).toEqual([]);
    }

    resumableContract(() => made, newKey);

    describe("put", () => {
      let sizes: [string, (partBytes: number) => number][] = [
        ["0 bytes", () => 0],
        ["1 byte", () => 1],
        ["20 KB", () => 20_000],
        ["a part less one byte", (partBytes) => partBytes - 1],
        ["a part", (partBytes) => partBytes],
        ["a part and one byte", (partBytes) => partBytes + 1],
        ["two parts", (partBytes) => 2 * partBytes],
        ["four parts and a rest", (partBytes) => 4 * partBytes + 77],
      ];
      for (let [label, sizeOf] of sizes) {
        for (let declared of [true, false]) {
          test(
            `keeps ${label} of ${declared ? "declared" : "unknown"} length`,
            async () => {
              let bytes = bytesOf(sizeOf(made.partBytes));
              let key = newKey();
              let other = { body: inChunks(bytes, oddChunks), ...(declared ? {} : { declaredBytes: null }) };
              expect(await storage.put(putRequest(key, bytes, other))).toEqual({
                sizeBytes: bytes.byteLength,
              });

              expect(sha256Of(await read(key))).toBe(sha256Of(bytes));
              expect(await storage.head(key)).toMatchObject({ key, sizeBytes: bytes.byteLength });
              expect(await made.countUnfinished()).toBe(unfinishedBefore);
            },
            slowMs,
          );
        }
      }

      test("keeps a body that comes byte by byte", async () => {
        let bytes = bytesOf(40_000);
        let key = newKey();
        await storage.put(putRequest(key, bytes, { body: inChunks(bytes, [1]), declaredBytes: null }));
        expect(await read(key)).toEqual(bytes);
      });

      test("keeps many bodies that come at the same time apart", async () => {
        let keys = Array.from({ length: 16 }, newKey);
        await Promise.all(keys.map((key, i) => store(bytesOf(30_000 + i), key)));
        for (let [i, key] of keys.entries()) expect(await read(key)).toEqual(bytesOf(30_000 + i));
      });

      test(
        "asks for the digest only once the body has ended",
        async () => {
          for (let length of [10, made.partBytes + 10]) {
            let ended = false;
            let bytes = bytesOf(length);
            let askedEarly = false;
            async function* body() {
              yield* inChunks(bytes);
              ended = true;
            }
            let sha256 = (): string => {
              askedEarly ||= !ended;
              return sha256Of(bytes);
            };
            await storage.put(putRequest(newKey(), bytes, { body: body(), sha256 }));
            expect(askedEarly).toBe(false);
          }
        },
        slowMs,
      );

      test(
        "keeps content type and user metadata of small and large bodies",
        async () => {
          for (let length of [0, 10, made.partBytes + 10]) {
            let facts = {
              uid,
              filename: "Grüße 🎉 100% 日本語.jpg",
              createdAt: "2026-01-31T23:59:00.000Z",
              declaredType: "image/jpeg",
            };
            let key = newKey();
            let other = { contentType: "image/jpeg", userMetadata: userMetadataOf(facts) };
            await storage.put(putRequest(key, bytesOf(length), other));
            let found = await storage.head(key);
            expect(found?.contentType).toBe("image/jpeg");
            let { sha256, ...rest } = readUserMetadata(found?.userMetadata ?? {});
            expect(rest).toEqual(facts);
            if (sha256 !== null) expect(sha256).toBe(sha256Of(bytesOf(length)));
          }
        },
        slowMs,
      );

      test(
        "tells of a multipart upload before it counts as begun, if it makes one",
        async () => {
          let uploadIds: string[] = [];
          let small = putRequest(newKey(), bytesOf(10), {
            onMultipartCreated: (id) => void uploadIds.push(id),
          });
          await storage.put(small);
          expect(uploadIds).toEqual([]);
          let large = {
            ...putRequest(newKey(), bytesOf(made.partBytes + 10)),
            onMultipartCreated: small.onMultipartCreated,
          };
          await storage.put(large);
          expect(uploadIds.length).toBe(storage.name === "s3" ? 1 : 0);
        },
        slowMs,
      );
    });

    describe("a put that fails", () => {
      let moments: [string, (partBytes: number) => number][] = [
        ["before the first byte", () => 0],
        ["before the first part", () => 100 * KIB],
        ["between parts", (partBytes) => 2 * partBytes + 100 * KIB],
      ];

      for (let [moment, lengthOf] of moments) {
        test(
          `leaves nothing when it is stopped ${moment}, though the sender stays silent`,
          async () => {
            let key = newKey();
            let { body, silent } = thenSilence(bytesOf(lengthOf(made.partBytes)));
            let controller = new AbortController();
            let request = putRequest(key, bytesOf(0), {
              body,
              declaredBytes: null,
              signal: controller.signal,
            });
            let outcome = storage.put(request).catch((error: unknown) => error);
            await silent;
            controller.abort(new AppError("upload_stalled"));
            let first = await Promise.race([outcome, Bun.sleep(promptMs).then(() => "nothing happened")]);
            expect(first).toMatchObject({ code: "upload_stalled" });
            await leavesNothing(key);
          },
          slowMs,
        );

        test(
          `leaves nothing when the body fails ${moment}, and passes the failure on`,
          async () => {
            let key = newKey();
            let body = thenFailure(bytesOf(lengthOf(made.partBytes)), new AppError("file_too_large"));
            let put = storage.put(putRequest(key, bytesOf(0), { body, declaredBytes: null }));
            await expect(put).rejects.toMatchObject({ code: "file_too_large" });
            await leavesNothing(key);
          },
          slowMs,
        );
      }

      test("leaves nothing when it was stopped before it began", async () => {
        let key = newKey();
        let signal = AbortSignal.abort(new AppError("upload_stalled"));
        let put = storage.put(putRequest(key, bytesOf(10), { signal }));
        await expect(put).rejects.toMatchObject({ code: "upload_stalled" });
        await leavesNothing(key);
      });

      test(
        "leaves nothing when the digest can't be had",
        async () => {
          for (let length of [10, made.partBytes + 10]) {
            let key = newKey();
            let outcome = storage.put(putRequest(key, bytesOf(length), { sha256: noDigest }));
            // Nobody has to ask for it; who asks and fails has to clean up.
            let failed = await outcome.then(() => false).catch(() => true);
            if (failed) await leavesNothing(key);
          }
        },
        slowMs,
      );

      test(
        "refuses a body that is shorter or longer than announced",
        async () => {
          for (let announced of [9, 11]) {
            for (let factor of [1, made.partBytes]) {
              let key = newKey();
              let bytes = bytesOf(10 * KIB + factor);
              let put = storage.put(putRequest(key, bytes, { declaredBytes: bytes.length + announced - 10 }));
              await expect(put).rejects.toBeInstanceOf(AppError);
              await leavesNothing(key);
            }
          }
        },
        slowMs,
      );
    });

    describe("open", () => {
      let bytes = bytesOf(1_000_003);
      let last = bytes.length - 1;
      let ranges: [string, { first: number; last: number }][] = [
        ["the first byte", { first: 0, last: 0 }],
        ["the beginning", { first: 0, last: 499_999 }],
        ["the middle", { first: 300_001, last: 700_002 }],
        ["the end", { first: 500_000, last }],
        ["the last byte", { first: last, last }],
        ["everything", { first: 0, last }],
        ["more than there is", { first: 999_000, last: last + 1_000 }],
      ];
      let key = "";
      beforeAll(async () => {
        key = await store(bytes);
      });

      for (let [label, range] of ranges) {
        test(`gives ${label} and tells the whole size`, async () => {
          let opened = await storage.open(key, range);
          expect(opened.sizeBytes).toBe(bytes.length);
          let found = new Uint8Array(await new Response(opened.body).arrayBuffer());
          expect(found).toEqual(bytes.slice(range.first, range.last + 1));
        });
      }

      test("gives everything without a range", async () => {
        let opened = await storage.open(key);
        expect(opened.sizeBytes).toBe(bytes.length);
        expect(new Uint8Array(await new Response(opened.body).arrayBuffer())).toEqual(bytes);
      });

      test("gives an empty object", async () => {
        let empty = await store(bytesOf(0));
        let opened = await storage.open(empty);
        expect(opened.sizeBytes).toBe(0);
        expect(await new Response(opened.body).text()).toBe("");
      });

      test("refuses a range behind the end", async () => {
        let beyond = { first: bytes.length, last: bytes.length + 10 };
        await expect(storage.open(key, beyond)).rejects.toBeInstanceOf(AppError);
      });

      test("can be cancelled half way, often", async () => {
        for (let i = 0; i < 100; i++) {
          let reader = (await storage.open(key)).body.getReader();
          await reader.read();
          await reader.cancel();
        }
        expect(await storage.head(key)).not.toBeNull();
      });

      test("stops when its signal aborts", async () => {
        let controller = new AbortController();
        let { body } = await storage.open(key, undefined, controller.signal);
        controller.abort(new Error("no more"));
        await expect(new Response(body).arrayBuffer()).rejects.toThrow();
      });
    });

    describe("an absent object", () => {
      test("can't be opened: gone", async () => {
        await expect(storage.open(`${run}absent`)).rejects.toMatchObject({ code: "gone" });
        let range = { first: 0, last: 10 };
        await expect(storage.open(`${run}absent/deeper`, range)).rejects.toMatchObject({ code: "gone" });
      });

      test("has no facts", async () => {
        expect(await storage.head(`${run}absent`)).toBeNull();
        expect(await storage.head(`${run}absent/deeper`)).toBeNull();
      });

      test("can be deleted", async () => {
        await storage.delete(`${run}absent`);
        await storage.delete(`${run}absent/deeper`);
      });
    });

    test("delete removes the object, and once more is no error", async () => {
      let key = await store(bytesOf(1000));
      let neighbour = await store(bytesOf(10));
      await storage.delete(key);
      expect(await storage.head(key)).toBeNull();
      await expect(storage.open(key)).rejects.toMatchObject({ code: "gone" });
      await storage.delete(key);
      expect(await read(neighbour)).toEqual(bytesOf(10));
    });

    describe("move", () => {
      let facts = { uid, filename: "Grüße 🎉 100%.jpg", createdAt: "2026-01-31T23:59:00.000Z" };
      let described = { contentType: "image/jpeg", userMetadata: userMetadataOf(facts) };

      for (let [label, lengthOf] of [
        ["an empty object", () => 0],
        ["a small object", () => 1000],
        ["a large object", (partBytes: number) => 2 * partBytes + 77],
      ] as [string, (partBytes: number) => number][]) {
        test(
          `gives ${label} another key, with its bytes and facts, and the time of now`,
          async () => {
            let bytes = bytesOf(lengthOf(made.partBytes));
            let from = newKey();
            let to = `${run}moved/deep/${from.slice(run.length)}`;
            await storage.put(putRequest(from, bytes, described));
            let before = await storage.head(from);
            let beforeMs = Date.now();
            await storage.move(from, to);
            expect(await storage.head(from)).toBeNull();
            expect(sha256Of(await read(to))).toBe(sha256Of(bytes));
            let after = await storage.head(to);
            expect(after).toMatchObject({ key: to, sizeBytes: bytes.byteLength, contentType: "image/jpeg" });
            expect(after?.userMetadata).toEqual(before?.userMetadata ?? {});
            expect(after?.lastModifiedMs).toBeGreaterThan(beforeMs - wholeSecondMs);
            expect(await made.countUnfinished()).toBe(unfinishedBefore);
            await storage.move(to, from);
            expect(await storage.head(to)).toBeNull();
            expect((await storage.head(from))?.userMetadata).toEqual(before?.userMetadata ?? {});
          },
          slowMs,
        );
      }

      test("takes awkward keys", async () => {
        for (let tail of ["a b+c.txt", "100%2F.bin", "ä 日本.bin", "a&<b>'.txt"]) {
          let from = `${run}awkward/${tail}`;
          await store(bytesOf(10), from);
          await storage.move(from, `${run}awkward-moved/${tail}`);
          expect(await storage.head(from)).toBeNull();
          expect(await read(`${run}awkward-moved/${tail}`)).toEqual(bytesOf(10));
        }
      });

      test("replaces what is there", async () => {
        let from = await store(bytesOf(20));
        let to = await store(bytesOf(10));
        await storage.move(from, to);
        expect(await read(to)).toEqual(bytesOf(20));
      });

      test("of an absent object is gone, and changes nothing", async () => {
        let to = await store(bytesOf(10));
        await expect(storage.move(`${run}absent`, to)).rejects.toMatchObject({ code: "gone" });
        expect(await read(to)).toEqual(bytesOf(10));
      });
    });

    test("head tells size and time", async () => {
      let beforeMs = Date.now();
      let key = await store(bytesOf(321));
      let afterMs = Date.now();
      let found = await storage.head(key);
      expect(found).toMatchObject({ key, sizeBytes: 321 });
      expect(found?.lastModifiedMs).toBeGreaterThan(beforeMs - wholeSecondMs);
      expect(found?.lastModifiedMs).toBeLessThan(afterMs + wholeSecondMs);
    });

    describe("list", () => {
      let folder = `${run}list/`;
      let keysOf = (infos: ObjectInfo[]): string[] => infos.map((info) => info.key.slice(folder.length));
      let listed = async (prefix: string, startAfter?: string): Promise<string[]> => {
        let options = startAfter === undefined ? {} : { startAfter: folder + startAfter };
        return keysOf(await Array.fromAsync(storage.list(folder + prefix, options)));
      };
      let beganMs = 0;
      beforeAll(async () => {
        beganMs = Date.now();
        for (let key of awkwardKeys.toReversed()) await store(bytesOf(key.length), folder + key);
      });

      test("gives awkward keys in byte order, with size and time", async () => {
        expect(await listed("")).toEqual(awkwardKeys);
        for await (let info of storage.list(folder)) {
          expect(info.sizeBytes).toBe(info.key.length - folder.length);
          expect(info.lastModifiedMs).toBeGreaterThan(beganMs - wholeSecondMs);
        }
      });

      test("begins behind any key, whether it is there or not", async () => {
        for (let startAfter of [...awkwardKeys, "a/", "a", "a/b.", "b", "zzz", "~", "\u{10FFFF}"]) {
          let behind = awkwardKeys.filter((key) => compareByteOrder(key, startAfter) > 0);
          expect(await listed("", startAfter)).toEqual(behind);
        }
      });

      test("keeps to the prefix, which need not end at a slash", async () => {
        for (let prefix of ["a", "a/", "a/b", "a-", "b", "A", "nothing", "nothing/", "🎉", "a/c/d"]) {
          expect(await listed(prefix)).toEqual(awkwardKeys.filter((key) => key.startsWith(prefix)));
        }
        expect(await listed("a", "a/b")).toEqual(["a/b.c", "a/c/d", "a0", "a_b", "ab"]);
      });

      test("can be left early", async () => {
        for await (let info of storage.list(folder)) {
          expect(info.key).toBe(folder + "A");
          break;
        }
      });

      test(
        "goes on behind a page",
        async () => {
          let many = `${run}many/`;
          let names = Array.from(
            { length: made.manyObjects },
            (_, i) => `${many}${String(i).padStart(5, "0")}`,
          );
          for (let i = 0; i < names.length; i += 32) {
            await Promise.all(names.slice(i, i + 32).map((key) => store(bytesOf(1), key)));
          }
          let found = (await Array.fromAsync(storage.list(many))).map((info) => info.key);
          expect(found).toEqual(names);
          let middle = Math.floor(names.length / 2);
          let rest = storage.list(many, { startAfter: names[middle] ?? "" });
          expect((await Array.fromAsync(rest)).map((info) => info.key)).toEqual(names.slice(middle + 1));
        },
        slowMs,
      );
    });

    test("probe finds everything in order", async () => {
      await storage.probe();
    });

    test("aborting an unknown multipart upload is no error", async () => {
      await storage.abortMultipart(newKey(), "00000000-0000-4000-8000-000000000000");
    });
  });
}

function noDigest(): string {
  throw new AppError("internal_error", "no digest");
}

/** Real servers refuse smaller ones. */
export const smallestPartBytes = 5 * MIB;
