import { describe, expect, test } from "bun:test";
import { join } from "node:path";

import { sameType } from "../src/inspect/type-aliases.ts";
import { inspectBytes } from "./inspect/inspect-bytes.ts";
import { corpusEntries, type CorpusEntry, corpusFolder, corpusMissing } from "./support/corpus.ts";
import { skipUnlessCi } from "./support/needs.ts";

/** Our name -> the names under which file(1) and ExifTool know the same type. */
const NAMES: Record<string, string[]> = {
  "audio/wav": ["audio/x-wav"],
  "application/gzip": ["application/x-gzip"],
  "application/xml": ["text/xml"],
  "image/tiff": ["image/x-tiff-big"],
};

/** Where we differ from what both programs say, and why. */
const DIFFERENT_TYPE: Record<string, [type: string, why: string]> = {
  "zero.png": ["application/octet-stream", "no bytes are no type; inode/x-empty is no media type"],
  "png-animated.apng": ["image/apng", "file(1) stops at the PNG signature; ExifTool agrees with us"],
  "avif-sequence.avif": [
    "image/avif",
    "ExifTool takes the picture sequence for a film; file(1) agrees with us",
  ],
  "html-plain.html": [
    "text/html",
    "ExifTool calls every text without tags of its own plain; file(1) agrees with us",
  ],
  "mismatch-html-named.png": ["text/html", "as html-plain.html"],
};
const DIFFERENT_SIZE: Record<string, [width: number, height: number, why: string]> = {
  "svg-no-xml-header.svg": [38, 38, "ExifTool repeats 1cm; a centimetre has 37.8 CSS pixels"],
};
const DIFFERENT_MAKE: Record<string, [make: string, why: string]> = {
  "tiff-make-byte-8c.tif": [
    "Œ",
    "byte 8C is no UTF-8: read as Latin-1 in the way of browsers, where ExifTool shows ?",
  ],
};
const DIFFERENT_TAKEN: Record<string, string> = {
  "jpg-fuji-dx5-blank-date.jpg": "only blanks and colons",
  "jpg-exif-hostile-text.jpg": "30 February 25:61:61 does not exist",
};
const NOT_COMPARED: Record<string, string> = {
  "heic-iphone15-livephoto-stub.heic":
    "display size: programs disagree on EXIF orientation without a turn in the container",
};
const DIFFERENT_ORIENTATION: Record<string, string> = {
  "jpg-orient-0.jpg": "0 is no orientation",
};
const degreesTolerance = 1e-6;

function expectType(entry: CorpusEntry, found: string): void {
  let different = DIFFERENT_TYPE[entry.name];
  if (different) return expect(found).toBe(different[0]);
  for (let oracle of [entry.mime_file, entry.mime_exiftool]) {
    if (oracle !== null) expect([found, ...(NAMES[found] ?? [])]).toContain(oracle);
  }
}

function sizeOf(entry: CorpusEntry, width: CorpusEntry["width"], height: CorpusEntry["height"]) {
  let different = DIFFERENT_SIZE[entry.name];
  return different ? `${different[0]}x${different[1]}` : `${width ?? null}x${height ?? null}`;
}

function takenOf(entry: CorpusEntry): string | null {
  if (!entry.DateTimeOriginal || entry.name in DIFFERENT_TAKEN) return null;
  return entry.DateTimeOriginal.replace(/^(\d+):(\d+):(\d+) /, "$1-$2-$3T");
}

describe.skipIf(skipUnlessCi(corpusMissing))("the corpus", () => {
  for (let entry of corpusEntries()) {
    test(entry.name, async () => {
      let content = await Bun.file(join(corpusFolder, entry.name)).bytes();
      let { media, found } = await inspectBytes(content, entry.name);
      let { metadata } = found;

      expectType(entry, media.contentType);
      expect(media.kind).not.toBe(media.contentType.startsWith("image/") ? "other" : "image");
      expect(`${String(metadata["stored_width"] ?? null)}x${String(metadata["stored_height"] ?? null)}`).toBe(
        sizeOf(entry, entry.width, entry.height),
      );
      if (!(entry.name in NOT_COMPARED)) {
        expect(`${found.width}x${found.height}`).toBe(
          sizeOf(entry, entry.display_width, entry.display_height),
        );
      }
      let orientation = entry.name in DIFFERENT_ORIENTATION ? null : (entry.Orientation ?? null);
      expect(metadata["orientation"] ?? null).toBe(orientation);
      expect(metadata["make"] ?? null).toBe(
        DIFFERENT_MAKE[entry.name]?.[0] ?? entry.Make ?? entry.Make_elsewhere?.["Keys:Make"] ?? null,
      );
      expect(metadata["model"] ?? null).toBe(entry.Model ?? entry.Model_elsewhere?.["Keys:Model"] ?? null);
      // ExifTool keeps the offset in a tag of its own.
      expect(found.taken_at?.slice(0, 19) ?? null).toBe(takenOf(entry));
      expectDegrees(found.latitude, entry.GPSLatitude);
      expectDegrees(found.longitude, entry.GPSLongitude);

      let without = await inspectBytes(content, entry.name, { keepPosition: false });
      expect([without.found.latitude, without.found.longitude, without.found.metadata["gps"]]).toEqual([
        null,
        null,
        undefined,
      ]);
      let { gps: _, ...rest } = metadata;
      expect(without.found.metadata).toEqual(rest);
    });
  }

  test("types under other names are the same to the policy", () => {
    for (let [ours, others] of Object.entries(NAMES)) {
      for (let other of others) expect(sameType(other, ours)).toBe(true);
    }
  });
});

function expectDegrees(found: number | null, oracle: number | null): void {
  if (found === null || typeof oracle !== "number") return expect(found).toBe(oracle ?? null);
  expect(Math.abs(found - oracle)).toBeLessThan(degreesTolerance);
}
