import { brotliCompressSync } from "node:zlib";

import { extractMetadata } from "../../../src/inspect/extract-metadata.ts";
import { createHeadTail } from "../../../src/inspect/head-tail.ts";
import { kindOf } from "../../../src/inspect/kind-of.ts";
import { detectMediaType } from "../../../src/inspect/media-type.ts";
import { corpusFiles } from "../corpus.ts";
import {
  ascii,
  box,
  bytes,
  deflated,
  exifSegment,
  jpeg,
  png,
  pngChunk,
  rationals,
  rawProfileText,
  riff,
  short,
  tiff,
  u16,
  u32,
} from "../images.ts";
import { mutateFile } from "./mutate-file.ts";
import { pick, type Random, seededRandom } from "./random.ts";
import { type Tally, timed } from "./tally.ts";

const largestFileBytes = 120_000;
/** More than any real file's metadata takes in the catalog. */
const maxMetadataChars = 20_000;

const block = tiff({
  main: [ascii(0x10f, "Acme"), short(0x112, 6)],
  exif: [ascii(0x9003, "2024:01:02 03:04:05")],
  gps: [
    ascii(1, "N"),
    rationals(2, [1, 1], [2, 1], [3, 1]),
    ascii(3, "E"),
    rationals(4, [1, 1], [2, 1], [3, 1]),
  ],
});
const ispe = box("ispe", u32(0), u32(30), u32(40));
const meta = box("meta", u32(0), box("iprp", box("ipco", ispe, box("irot", 1))));
const mp3Frame = bytes([0xff, 0xfb, 0x10, 0], new Uint8Array(100));
const canonName = Buffer.from("85c0b687820f11e08111f4ce462b6a48", "hex");
const transportStream = bytes(
  ...["4740000000b00d0001c100000001f000", "4750000002b0170001c10000e100f0001be100f000", "47410010"].map(
    (start, at) =>
      bytes(
        Buffer.from(`${start.slice(0, 6)}10${start.slice(6)}`, "hex"),
        at === 2 ? "\0\0\x01\x67\x64\0\x0d\xac\xd9\x41\x41\xfe\xab\x01\x10" : "",
        new Uint8Array(164),
      ).subarray(0, 188),
  ),
);
const own: [name: string, content: Uint8Array][] = [
  ["a.jpg", jpeg(30, 40, exifSegment(block))],
  ["a.png", png(30, 40, pngChunk("eXIf", block))],
  [
    "b.png",
    png(30, 40, pngChunk("zTXt", bytes("Raw profile type exif\0\0", deflated(rawProfileText(block))))),
  ],
  ["a.tif", block],
  ["a.webp", riff("WEBP", ["VP8X", bytes(8, new Uint8Array(9))], ["EXIF", block])],
  ["a.avif", bytes(box("ftyp", "avif", u32(0), "avifmif1"), meta)],
  ["a.gif", bytes("GIF89a\x1e\0\x28\0\x80\0\0", new Uint8Array(20))],
  [
    "a.bmp",
    bytes(
      "BM",
      u32(100, true),
      u32(0),
      u32(54, true),
      u32(40, true),
      u32(30, true),
      u32(40, true),
      new Uint8Array(60),
    ),
  ],
  [
    "a.svg",
    bytes('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><svg width="3cm" viewBox="0 0 1 1"/>'),
  ],
  ["a.json", bytes('{"a": [1, 2, {"b": "c"}]}')],
  [
    "a.zip",
    bytes("PK\x03\x04", new Uint8Array(22), [17, 0, 0, 0], "[Content_Types].xml", new Uint8Array(40)),
  ],
  [
    "a.webm",
    bytes("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\0\0\0\0\0\0\x20", new Uint8Array(32)),
  ],
  ["a.nef", tiff({ main: [short(0x100, 3), short(0x101, 4), [0x14a, 4, 1, u32(8, true)]] })],
  ["a.jp2", bytes(box("jP  ", u32(0x0d0a870a)), box("uuid", "JpgTiffExif->JP2", block))],
  [
    "a.jxl",
    bytes(
      box("JXL ", u32(0x0d0a870a)),
      box("jxlc", "\xff\x0a\x13\xf1\x93\x50\xb9\xb7"),
      box("brob", "Exif", brotliCompressSync(bytes(u32(0), block))),
    ),
  ],
  ["a.psd", bytes("8BPS", u16(1), new Uint8Array(20), u32(0), u32(999), "8BIM\x04\x22\0\0", u32(200), block)],
  ["a.ppm", bytes("P3 # three\n30 40 255 1 2 3")],
  [
    "a.mov",
    bytes(
      box("ftyp", "qt  ", u32(0)),
      box(
        "moov",
        box("udta", box("\u00a9xyz", u32(0), "+48.2+016.3/"), box("loci", u32(0), "a\0", new Uint8Array(20))),
      ),
      box(
        "moov",
        box("meta", box("hdlr"), box("keys", u32(0), u32(1), u32(12), "mdtaabcd"), box("ilst", box("data"))),
      ),
    ),
  ],
  ["a.wav", riff("WAVE", ["ds64", new Uint8Array(24)], ["fmt ", new Uint8Array(16)], ["data", block])],
  ["a.flv", bytes("FLV\x01\x05", u32(9), u32(0), "\x12\0\0\x40", new Uint8Array(7), "\0\x05width\0", block)],
  [
    "a.ogv",
    bytes("OggS\0\x02", new Uint8Array(20), [1, 42], "\x80theora", new Uint8Array(35), "OggS", block),
  ],
  ["a.mp3", bytes("ID3\x03\0\0\0\0\0\0", mp3Frame, mp3Frame, mp3Frame, "TAG", new Uint8Array(125))],
  ["a.aiff", bytes("FORM", u32(99), "AIFFCOMM", u32(18), new Uint8Array(18))],
  ["a.ts", transportStream],
  [
    "a.mxf",
    bytes(
      "\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02\x04\0\x04abcd",
      "\x06\x0e\x2b\x34\x02\x53\x01\x01\x0d\x01\x01\x01\x01\x01\x51\0\x10\x32\x03\0\x04",
      u32(30),
      "\x32\x02\0\x04",
      u32(40),
    ),
  ],
  ["a.cr3", bytes(box("ftyp", "crx ", u32(1)), box("moov", box("uuid", canonName, box("CMT1", block))))],
  ["a.mp4", bytes(u32(16), "ftypisom", u32(0), u32(40), "moov", u32(32), "trak", new Uint8Array(24))],
];
/** Readers also meet files that only begin like theirs. */
const forced = [
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/bmp",
  "image/gif",
  "image/tiff",
  "image/avif",
  "image/heic",
  "video/mp4",
  "video/webm",
  "image/svg+xml",
  "image/jxl",
  "image/jp2",
  "image/vnd.adobe.photoshop",
  "image/vnd.microsoft.icon",
  "image/x-portable-pixmap",
  "image/x-nikon-nef",
  "image/x-fujifilm-raf",
  "video/x-msvideo",
  "video/mpeg",
  "video/x-ms-asf",
  "audio/wav",
  "audio/flac",
  "audio/mpeg",
  "audio/ogg",
  "audio/aiff",
  "video/ogg",
  "video/x-flv",
  "video/mp2t",
  "application/mxf",
  "image/x-canon-cr3",
];

/**
 * Runs seeded mutations of our own files and of the corpus through everything that looks at content.
 *
 * @throws Error that names seed and case when something throws, takes too long or says too much.
 */
export async function fuzzInspection(seed: number, cases: number): Promise<Tally> {
  let random = seededRandom(seed);
  let files = [...own, ...corpusFiles(largestFileBytes)];
  let contents = files.map(([, content]) => content);
  return timed(seed, cases, async () => {
    let [name, original] = pick(files, random);
    await inspect(random(2) > 0 ? name : "a.bin", mutateFile(original, contents, random), random);
  });
}

async function inspect(name: string, content: Uint8Array, random: Random): Promise<void> {
  let headTail = createHeadTail(random(3) > 0 ? {} : { headBytes: 600, tailBytes: 200 });
  for (let at = 0; at < content.length;) {
    let end = random(2) > 0 ? content.length : at + 1 + random(content.length - at);
    headTail.push(content.subarray(at, end));
    at = end;
  }
  let head = headTail.head();
  let media = await detectMediaType(head, head.length === content.length, name);
  let type = random(4) > 0 ? media.contentType : pick(forced, random);
  let fetchRange = (at: number, length: number) =>
    random(5) > 0 ? Promise.resolve(content.slice(at, at + length)) : Promise.reject(new Error("lost"));
  let source = headTail.source(random(2) > 0 ? fetchRange : undefined);
  let found = await extractMetadata(
    source,
    { ...media, contentType: type, kind: kindOf(type) },
    { keepPosition: random(4) > 0 },
  );
  let json = JSON.stringify(found);
  if (!json.isWellFormed() || json.length > maxMetadataChars) throw new Error(json.slice(0, 1000));
}
