import { describe, expect, test } from "bun:test";

import { joinedSource, memorySource } from "../../src/inspect/byte-source.ts";
import { maxFetchBytes, maxFetchReads } from "../../src/inspect/fetched-pages.ts";
import { createHeadTail } from "../../src/inspect/head-tail.ts";

const file = Uint8Array.from({ length: 5000 }, (_, at) => (at * 31 + (at >> 8)) & 255);
const limits = { headBytes: 700, tailBytes: 300 };

function pushInPieces(content: Uint8Array, pieceBytes: number) {
  let headTail = createHeadTail(limits);
  for (let at = 0; at < content.length; at += pieceBytes)
    headTail.push(content.subarray(at, at + pieceBytes));
  return headTail;
}

describe("head and tail", () => {
  for (let pieceBytes of [1, 7, 299, 300, 301, 699, 700, 701, 4096, 5000]) {
    test(`hold first and last bytes when pushed in pieces of ${pieceBytes}`, async () => {
      let headTail = pushInPieces(file, pieceBytes);
      let source = headTail.source();
      expect(headTail.sizeBytes).toBe(file.length);
      expect(headTail.headIsFull).toBe(true);
      expect(headTail.head()).toEqual(file.slice(0, 700));
      expect(await source.read(0, 700)).toEqual(file.slice(0, 700));
      expect(await source.read(4700, 300)).toEqual(file.slice(4700));
      expect(await source.read(4990, 100)).toEqual(file.slice(4990));
      expect(await source.read(690, 100)).toEqual(file.slice(690, 700));
      expect(await source.read(2000, 10)).toBeEmpty();
      expect(await source.read(-1, 10)).toBeEmpty();
      expect(await source.read(5000, 10)).toBeEmpty();
    });
  }

  test("hold a file whole that fits, or whose tail meets its head", async () => {
    for (let size of [0, 1, 700, 701, 1000]) {
      let headTail = pushInPieces(file.slice(0, size), 64);
      expect(await headTail.source().read(0, 5000)).toEqual(file.slice(0, size));
      expect(headTail.headIsFull).toBe(size >= 700);
    }
  });

  for (let expectedBytes of [0, 1, 700, 4699, 4999, 5000]) {
    test(`are right when ${expectedBytes} bytes were expected and as many or more came`, async () => {
      for (let pieceBytes of [7, 300, 512, 5000]) {
        let headTail = createHeadTail({ ...limits, expectedBytes });
        for (let at = 0; at < file.length; at += pieceBytes)
          headTail.push(file.subarray(at, at + pieceBytes));
        expect(await headTail.source().read(0, 700)).toEqual(file.slice(0, 700));
        expect(await headTail.source().read(4700, 300)).toEqual(file.slice(4700));
      }
    });
  }

  test("tell nothing wrong when more bytes were expected than came", async () => {
    for (let expectedBytes of [5001, 5200, 5300, 1_000_000]) {
      let headTail = createHeadTail({ ...limits, expectedBytes });
      for (let at = 0; at < file.length; at += 64) headTail.push(file.subarray(at, at + 64));
      let fetched = headTail.source((at, length) => Promise.resolve(file.slice(at, at + length)));
      expect(await fetched.read(4600, 400)).toEqual(file.slice(4600));
      let alone = await headTail.source().read(4900, 100);
      expect(alone).toEqual(file.slice(4900, 4900 + alone.length));
    }
  });

  test("read from storage what is in between, across the seams", async () => {
    let asked: [number, number][] = [];
    let source = pushInPieces(file, 512).source((offset, length) => {
      asked.push([offset, length]);
      return Promise.resolve(file.slice(offset, offset + length));
    });
    expect(await source.read(600, 4200)).toEqual(file.slice(600, 4800));
    expect(await source.read(2000, 10)).toEqual(file.slice(2000, 2010));
    expect(source.peek(2000, 10)).toEqual(file.slice(2000, 2010));
    expect(asked).toEqual([[700, 4300]]);
  });

  test("bound the reads of storage by number and bytes", async () => {
    let headTail = createHeadTail(limits);
    let chunk = new Uint8Array(1_000_000);
    for (let count = 0; count < 40; count++) headTail.push(chunk);
    let reads = 0;
    let bytes = 0;
    let source = headTail.source((_, length) => {
      reads++;
      bytes += length;
      return Promise.resolve(new Uint8Array(length));
    });
    for (let at = 1000; at < 39_000_000; at += 500_000) await source.read(at, 10);
    expect(reads).toBeLessThanOrEqual(maxFetchReads);
    expect(bytes).toBeLessThanOrEqual(maxFetchBytes);
  });

  test("take a failing or short read of storage for absent bytes", async () => {
    let failing = pushInPieces(file, 512).source(() => Promise.reject(new Error("no")));
    expect(await failing.read(690, 100)).toEqual(file.slice(690, 700));
    let short = pushInPieces(file, 512).source((offset) => Promise.resolve(file.slice(offset, offset + 3)));
    expect((await short.read(2000, 100)).length % 3).toBe(0);
  });

  test("keep nothing of a chunk but copies", () => {
    let headTail = createHeadTail({ headBytes: 10, tailBytes: 100_000 });
    let network = new Uint8Array(10_000_000);
    headTail.push(network.subarray(0, 5000));
    expect(headTail.source().peek(4990, 10).buffer.byteLength).toBe(200_000);
  });
});

test("a joined source reads across its parts", async () => {
  let joined = joinedSource(memorySource(file), [
    { offset: 100, length: 10 },
    { offset: 500, length: 20 },
  ]);
  expect(joined.sizeBytes).toBe(30);
  let whole = [...file.slice(100, 110), ...file.slice(500, 520)];
  expect([...(await joined.read(0, 30))]).toEqual(whole);
  expect([...joined.peek(5, 10)]).toEqual(whole.slice(5, 15));
  expect([...joined.peek(28, 10)]).toEqual(whole.slice(28));
});
