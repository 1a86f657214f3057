import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FileRecord } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import { isWebp } from "../../src/preview/draw-process.ts";
import { drawingOf } from "../../src/preview/drawing.ts";
import { createThumbnailCache, type ThumbnailCache } from "../../src/preview/thumbnail-cache.ts";
import { createThumbnails } from "../../src/preview/thumbnails.ts";
import { inspectBytes } from "../inspect/inspect-bytes.ts";
import { newFile } from "../record/new-file.ts";
import { skipUnlessCi } from "../support/needs.ts";

setDefaultTimeout(60_000);

const program = [process.execPath, join(import.meta.dir, "../../src/main.ts")];
const corpus = join(import.meta.dir, "../../../shared/corpus");
const noCorpus = skipUnlessCi(
  existsSync(corpus)
    ? null
    : "the corpus of real files is not beside the checkout: thumbnails of them are not tested",
);
const never = new AbortController().signal;

let folder = mkdtempSync(join(tmpdir(), "s3-uploads-thumbnails-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

/** A row as an upload of these bytes would make it, and the storage that holds them. */
async function world(bytes: Uint8Array<ArrayBuffer>, name: string, other: { cache?: ThumbnailCache } = {}) {
  let { media, found } = await inspectBytes(bytes, name);
  let record: FileRecord = {
    ...newFile({
      filename: name,
      size_bytes: bytes.byteLength,
      content_type: media.contentType,
      kind: media.kind,
    }),
    id: 1,
    width: found.width,
    height: found.height,
    metadata: found.metadata,
  };
  let opened = 0;
  let cache = other.cache ?? createThumbnailCache(join(folder, `${++made}`));
  let open = async () => {
    opened++;
    return { body: new Blob([bytes]).stream() as ReadableStream<Uint8Array>, sizeBytes: bytes.byteLength };
  };
  let thumbnails = createThumbnails({ storageFor: () => ({ open }), cache, program });
  return { record, thumbnails, opened: () => opened };
}

async function picture(width: number, height: number): Promise<Uint8Array<ArrayBuffer>> {
  let pixel = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  return new Uint8Array(await new Bun.Image(pixel).resize(width, height).png().bytes());
}

describe("a thumbnail", () => {
  test("is a small WebP of the same proportions, made once and kept", async () => {
    let cache = createThumbnailCache(join(folder, "kept"));
    let { record, thumbnails, opened } = await world(await picture(1200, 600), "wide.png", { cache });
    let [first, second] = await Promise.all([thumbnails.get(record, never), thumbnails.get(record, never)]);
    expect(isWebp(first!)).toBe(true);
    expect(second).toEqual(first);
    expect(await new Bun.Image(first!).metadata()).toMatchObject({ width: 320, height: 160 });
    expect(await thumbnails.get(record, never)).toEqual(Buffer.from(first!));
    expect(opened()).toBe(1);

    let later = createThumbnails({
      storageFor: () => {
        throw new Error("asked storage");
      },
      cache: createThumbnailCache(join(folder, "kept")),
      program,
    });
    expect(await later.get(record, never)).toEqual(Buffer.from(first!));
  });

  test("of a broken picture is none, which is remembered", async () => {
    let whole = await picture(400, 400);
    let { record, thumbnails, opened } = await world(whole.slice(0, whole.length - 40), "broken.png");
    expect(await thumbnails.get(record, never)).toBeNull();
    expect(await thumbnails.get(record, never)).toBeNull();
    expect(opened()).toBe(1);
  });

  test("of what is no picture, or is too large, is none without a look at the file", async () => {
    let { record, thumbnails, opened } = await world(new TextEncoder().encode("text"), "a.txt");
    expect(await thumbnails.get(record, never)).toBeNull();
    let huge = { ...record, content_type: "image/png", width: 20_000, height: 20_000 };
    expect(drawingOf(huge)).toBeNull();
    expect(await thumbnails.get(huge, never)).toBeNull();
    expect(opened()).toBe(0);
  });

  test("that the file's header contradicts is none", async () => {
    let { record, thumbnails } = await world(await picture(50, 50), "a.png");
    expect(await thumbnails.get({ ...record, width: 40 }, never)).toBeNull();
  });

  test("that nobody waits for any more is not made, and the next one who asks gets it", async () => {
    let { record, thumbnails } = await world(await picture(300, 300), "a.png");
    let gone = new AbortController();
    let asked = thumbnails.get(record, gone.signal);
    gone.abort(new AppError("bad_request"));
    await expect(asked).rejects.toThrow();
    expect(isWebp((await thumbnails.get(record, never))!)).toBe(true);
  });

  test("comes with many others, two at a time", async () => {
    let worlds = await Promise.all(
      Array.from({ length: 6 }, (_, nth) => picture(40 + nth, 40).then((png) => world(png, "a.png"))),
    );
    let all = await Promise.all(worlds.map(({ thumbnails, record }) => thumbnails.get(record, never)));
    expect(all.every((bytes) => bytes !== null && isWebp(bytes))).toBe(true);
  });
});

test("the cache keeps within its bound, and forgets first what was used longest ago", async () => {
  let cache = createThumbnailCache(join(folder, "bounded"), 3 * 4096);
  let uids = Array.from({ length: 4 }, () => Bun.randomUUIDv7());
  let webp = await new Bun.Image(await picture(10, 10)).webp().bytes();
  for (let uid of uids.slice(0, 3)) await cache.put(uid, webp);
  await cache.get(uids[0]!);
  await cache.put(uids[3]!, webp);
  let there = await Promise.all(uids.map(async (uid) => (await cache.get(uid)) !== null));
  expect(there).toEqual([true, false, true, true]);
  expect(readdirSync(join(folder, "bounded"))).toHaveLength(3);
});

test("the cache tells a picture that can't be drawn from a file that a power cut has emptied", async () => {
  let [none, emptied, deleted] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  mkdirSync(join(folder, "cut"));
  writeFileSync(join(folder, "cut", `${emptied}.webp`), "");
  let cache = createThumbnailCache(join(folder, "cut"));
  await cache.put(none, new Uint8Array());
  expect(await createThumbnailCache(join(folder, "cut")).get(none)).toEqual(new Uint8Array());
  expect(await cache.get(emptied)).toBeNull();
  await cache.put(deleted, new Uint8Array());
  await cache.remove(deleted);
  expect(await cache.get(deleted)).toBeNull();
  expect(readdirSync(join(folder, "cut"))).not.toContain(`${deleted}.webp`);
});

function neverOpens(): Promise<never> {
  return new Promise(() => {});
}

test("those who have gone make room in the queue at once", async () => {
  let { record } = await world(await picture(20, 20), "a.png");
  let cache = createThumbnailCache(join(folder, "crowd"));
  let thumbnails = createThumbnails({ storageFor: () => ({ open: neverOpens }), cache, program });
  let ask = (signal: AbortSignal) => thumbnails.get({ ...record, uid: Bun.randomUUIDv7() }, signal);
  for (let nth = 0; nth < 2; nth++) ask(never).catch(() => {});
  let crowd = new AbortController();
  let gone = Promise.allSettled(Array.from({ length: 300 }, () => ask(crowd.signal)));
  await Bun.sleep(0);
  await expect(ask(never)).rejects.toThrow("Too many");
  crowd.abort(new AppError("bad_request"));
  await gone;
  let last = new AbortController();
  let waiting = ask(last.signal);
  last.abort(new AppError("bad_request", "left of itself"));
  await expect(waiting).rejects.toThrow("left of itself");
});

describe.skipIf(noCorpus)("of the corpus", () => {
  let names = noCorpus ? [] : readdirSync(corpus).filter((name) => /^jpg-orient-\d/.test(name));
  for (let name of names) {
    test(`${name} lies upright`, async () => {
      let { record, thumbnails } = await world(new Uint8Array(readFileSync(join(corpus, name))), name);
      let bytes = await thumbnails.get(record, never);
      let { width, height } = await new Bun.Image(bytes!).metadata();
      expect(width > height).toBe(record.width! > record.height!);
    });
  }

  let bombs = noCorpus ? [] : readdirSync(corpus).filter((name) => /bomb|huge|truncated|pixel/i.test(name));
  for (let name of bombs) {
    test(`${name} hurts nobody`, async () => {
      let { record, thumbnails } = await world(new Uint8Array(readFileSync(join(corpus, name))), name);
      let bytes = await thumbnails.get(record, never);
      expect(bytes === null || isWebp(bytes)).toBe(true);
    });
  }
});
