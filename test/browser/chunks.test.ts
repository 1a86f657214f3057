import { describe, expect, spyOn, test } from "bun:test";
import { join } from "node:path";

import { createPieces, type PieceEnd, type Pieces } from "../../src/put/pieces.ts";
import { GIB, MIB, SECOND_MS } from "../../src/units.ts";

/** To the compiler the pages' scripts are files that are served. */
let scripts = join(import.meta.dir, "..", "..", "public", "js", "upload");
let { createChunks } = (await import(join(scripts, "chunks.js"))) as { createChunks: () => Pieces };
let { sendResumable } = (await import(join(scripts, "send-resumable.js"))) as {
  sendResumable: (request: object) => { answer: Promise<unknown> };
};

/** Sends a file over a line, or what of it is asked for, and says how large the pieces were. */
function pieces(create: () => Pieces, { bytesPerSecond, how = () => "arrived", many = 12 }: Line): number[] {
  let chunks = create();
  let nowMs = 0;
  using clock = spyOn(performance, "now").mockImplementation(() => nowMs);
  let sizes: number[] = [];
  for (let at = 0; at < GIB && sizes.length < many;) {
    let bytes = chunks.endOf(at, GIB) - at;
    let chunk = chunks.begin();
    nowMs += (bytes / bytesPerSecond) * SECOND_MS;
    let ended = how(bytes);
    chunk.end(bytes, ended);
    if (ended === "arrived") at += bytes;
    sizes.push(bytes);
  }
  expect(clock).toHaveBeenCalled();
  return sizes;
}

interface Line {
  bytesPerSecond: number;
  how?: (bytes: number) => PieceEnd;
  many?: number;
}

describe.each([
  ["the page", createChunks],
  ["put", createPieces],
])("the pieces in which %s sends a large file", (_who, create) => {
  test("end where the server's parts end, and stay below what proxies refuse", () => {
    let sizes = pieces(create, { bytesPerSecond: 50 * MIB });
    expect(sizes.slice(0, 4).map((size) => size / MIB)).toEqual([8, 32, 88, 88]);
    expect(sizes.slice(0, -1).every((size) => size % (8 * MIB) === 0)).toBe(true);
  });

  test("take about a quarter of a minute on a slow line", () => {
    for (let kibPerSecond of [100, 300, 1000]) {
      let bytesPerSecond = kibPerSecond * 1024;
      for (let size of pieces(create, { bytesPerSecond }).slice(2)) {
        expect(size / bytesPerSecond).toBeGreaterThan(7);
        expect(size / bytesPerSecond).toBeLessThan(16);
      }
    }
  });

  test("become smaller when they are cut off, and larger again as far as the line is good for", () => {
    let cuts = 2;
    let how = () => (cuts-- > 0 ? "cut" : "arrived") as PieceEnd;
    expect(pieces(create, { bytesPerSecond: MIB, how, many: 6 }).map(inMib)).toEqual([8, 2, 1, 4, 11, 8]);
  });

  test("stay below what something on the way has refused, also at the end of a file", () => {
    let how = uptoOneMib;
    expect(pieces(create, { bytesPerSecond: 50 * MIB, how, many: 5 }).map(inMib)).toEqual([8, 2, 1, 1, 1]);
    let chunks = create();
    chunks.begin().end(3 * MIB, "too large");
    expect([chunks.endOf(0, GIB), chunks.canBeLess()]).toEqual([MIB, false]);
  });
});

function uptoOneMib(bytes: number): PieceEnd {
  return bytes > MIB ? "too large" : "arrived";
}

function inMib(bytes: number): number {
  return bytes / MIB;
}

describe("a refusal by our server", () => {
  /** Lets uploads begin, and takes no piece. */
  class Refusing extends EventTarget {
    upload = new EventTarget();
    status = 0;
    responseText = "";
    open(method: string) {
      this.status = method === "POST" ? 201 : 503;
    }
    setRequestHeader() {}
    getResponseHeader(name: string): string | null {
      return { Location: "/tus/1", "Tus-Resumable": "1.0.0" }[name] ?? null;
    }
    send() {
      queueMicrotask(() => this.dispatchEvent(new Event("load")));
    }
  }

  test("is no sign of a fast line to the page", async () => {
    let chunks = createChunks();
    chunks.begin().end(8 * MIB, "cut");
    let before = chunks.endOf(0, GIB);
    let unfinished = { find: () => null, keep() {}, forget() {} };
    let file = new File([new Uint8Array(4 * MIB)], "a.bin");
    let watch = { onProgress() {}, onKept() {}, onSent() {} };
    Object.assign(globalThis, { XMLHttpRequest: Refusing, location: { origin: "http://localhost" } });
    try {
      let sending = sendResumable({ file, tusUrl: "/tus", unfinished, chunks, ...watch });
      expect(await sending.answer).toMatchObject({ outcome: "failed" });
    } finally {
      Reflect.deleteProperty(globalThis, "XMLHttpRequest");
      Reflect.deleteProperty(globalThis, "location");
    }
    expect(chunks.endOf(0, GIB)).toBe(before);
  });
});
