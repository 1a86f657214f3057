import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";

import { supportedExtensions } from "file-type";

import { canonicalType } from "../../src/inspect/canonical-types.ts";
import { extensionsOf } from "../../src/inspect/extension.ts";
import { kindOf } from "../../src/inspect/kind-of.ts";
import { detectMediaType } from "../../src/inspect/media-type.ts";
import { objectKey } from "../../src/store/keys.ts";
import { bytes, u16, u32 } from "../support/images.ts";

function typeOf(content: string | Uint8Array, filename: string, isWhole = true): Promise<string> {
  let head = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return detectMediaType(head, isWhole, filename).then((media) => media.contentType);
}

function utf16(text: string, littleEndian: boolean): Uint8Array {
  let units = [...`\ufeff${text}`].flatMap((character) => u16(character.charCodeAt(0), littleEndian));
  return Uint8Array.from(units);
}

/** A ZIP archive as far as its first entries go; contents are stored. */
function zip(...entries: [name: string, content: string | Uint8Array][]): Uint8Array {
  return bytes(
    ...entries.map(([name, content]) => {
      let body = bytes(content);
      let sizes = [...u32(Bun.hash.crc32(body), true), ...u32(body.length, true), ...u32(body.length, true)];
      return bytes(
        "PK\x03\x04",
        u16(20, true),
        [0, 0, 0, 0, 0, 0, 0, 0],
        sizes,
        u16(name.length, true),
        [0, 0],
        name,
        body,
      );
    }),
  );
}

/** An old Office file with the given names in its directory. */
function compound(...names: string[]): Uint8Array {
  let file = new Uint8Array(2048);
  file.set(bytes([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]));
  file.set(u16(9, true), 30);
  names.forEach((name, index) => {
    let entry = 512 + index * 128;
    [...name].forEach((character, at) => (file[entry + at * 2] = character.charCodeAt(0)));
    file.set(u16(name.length * 2 + 2, true), entry + 64);
  });
  return file;
}

const office = "application/vnd.openxmlformats-officedocument.";

describe("text", () => {
  const CASES: [name: string, content: string, type: string][] = [
    ["notes.txt", "Grüße aus Zürich\n", "text/plain"],
    ["README", "hello", "text/plain"],
    ["a.csv", "a,b\n1,2\n", "text/csv"],
    ["A.CSV", "a,b\n1,2\n", "text/csv"],
    ["a.tsv", "a\tb\n", "text/tab-separated-values"],
    ["a.md", "# Title\n", "text/markdown"],
    ["a.md", '<p align="center">\n# Title\n</p>', "text/markdown"],
    ["a.css", "body {}", "text/css"],
    ["a.js", "[1, 2].map(String)", "text/javascript"],
    ["a.py", "print('x')", "text/x-python"],
    ["script", "#!/usr/bin/env python3\nprint()", "text/x-python"],
    ["a.json", '{"a": [1]}', "application/json"],
    ["a.json", '{"broken": ', "application/json"],
    ["a.webp", '{"a": [1]}', "application/json"],
    ["a.geojson", '{"type":"Point"}', "application/geo+json"],
    ["a.jsonl", '{"a":1}\n{"a":2}\n', "application/x-ndjson"],
    ["a.ini", "[section]\nkey=1\n", "text/plain"],
    ["a.yml", "a: 1", "application/yaml"],
    ["a.html", "<h1>hi</h1>", "text/html"],
    ["a.png", "<!-- c --><!DOCTYPE html><title>x</title>", "text/html"],
    ["a.txt", " \n<script>alert(1)</script>", "text/html"],
    ["a.txt", "<3 this", "text/plain"],
    ["a.xml", "<?xml version='1.0'?><a/>", "application/xml"],
    ["a.dat", "<?xml version='1.0'?><a/>", "application/xml"],
    ["a.rss", "<?xml version='1.0'?><rss/>", "application/rss+xml"],
    ["a.xml", '<?xml version="1.0"?><html xmlns="x"/>', "application/xhtml+xml"],
    ["a.svg", "<svg/>", "image/svg+xml"],
    ["a.png", '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><s:svg xmlns:s="&a;"/>', "image/svg+xml"],
    ["a.txt", "<svgs/>", "text/plain"],
    ["a.php", "<?php echo 1 ?><html>", "text/x-php"],
    ["a.rtf", "{\\rtf1 x}", "application/rtf"],
    ["a.pdf", "%PDF-1.4\n%%EOF", "application/pdf"],
    ["a.eml", "Received: from a\n\nhi", "message/rfc822"],
    ["1700.M1P2", "Date: today\nMessage-ID: <1>\nFrom: A <a@b>\n\nhi", "message/rfc822"],
    ["todo", "Subject: the fence\n\nFrom: a@b\nto c", "text/plain"],
    ["a.warc", "WARC/1.0\r\nWARC-Type: warcinfo\r\n", "application/warc"],
    ["a.nt", "<a> <http://b.test/c> <d> .\n", "application/n-triples"],
    ["a.ttl", "@prefix a: <http://b.test/> .\n", "text/turtle"],
    ["a.mbox", "From a@b Thu Jan  1 00:00:00 1970\n", "application/mbox"],
    ["a.vcf", "BEGIN:VCARD\nEND:VCARD", "text/vcard"],
    ["a.vcf", "##fileformat=VCFv4.2\n#CHROM\tPOS\n", "text/plain"],
    ["a.mhtml", "From: <Saved by Blink>\r\nMIME-Version: 1.0\r\n", "message/rfc822"],
    ["a.txt", "/* XPM */\nstatic char *a[] = {};", "image/x-xpixmap"],
    ["a.fits", "SIMPLE  =                    T".padEnd(80), "image/fits"],
    ["a.torrent", "d8:announce14:http://a.test/e", "application/x-bittorrent"],
    ["a.srt", "1\n00:00:01,000 --> 00:00:02,000\nhi\n", "application/x-subrip"],
  ];
  for (let [name, content, type] of CASES) {
    test(`${name} with ${JSON.stringify(content.slice(0, 40))} is ${type}`, async () => {
      expect(await typeOf(content, name)).toBe(type);
    });
  }

  test("that begins like a magic number stays text", async () => {
    for (let start of [
      "BMW is",
      "MZ and",
      "FORM 27",
      "MAC address",
      "The free",
      "solid rock",
      "ID3 tags",
      "GIF or",
      "PK is",
      "II*",
      "8BPS",
      "OggS",
      "RIFF",
      "Rar!",
      "AC1015",
      "%!",
    ]) {
      let type = await typeOf(`${start} some more words for a sentence`, "a.txt");
      expect([start, type]).toEqual([start, start === "%!" ? "application/postscript" : "text/plain"]);
    }
  });

  test("in UTF-16 and 8-bit character sets is recognised", async () => {
    expect(await typeOf(utf16("a;b\r\nä;ö", true), "a.csv")).toBe("text/csv");
    expect(await typeOf(utf16("<?xml version='1.0'?><a/>", false), "a.xml")).toBe("application/xml");
    expect(await typeOf(utf16("<html></html>", true), "a.png")).toBe("text/html");
    expect(await typeOf(Buffer.from("Müller;Große Allee\n", "latin1"), "a.csv")).toBe("text/csv");
    // "Привет" in windows-1251: all of it beyond ASCII, so that the name has to say that it is text.
    let cyrillic = bytes([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
    expect(await typeOf(cyrillic, "a.txt")).toBe("text/plain");
    expect(await typeOf(cyrillic, "a.bin")).toBe("application/octet-stream");
  });

  test("may end within a character only when it goes on", async () => {
    let cut = new TextEncoder().encode("Grüße €").slice(0, -1);
    expect(await typeOf(cut, "a.txt", false)).toBe("text/plain");
    expect(await typeOf(bytes([0xe2, 0x82]), "a.txt", true)).toBe("application/octet-stream");
  });

  test("that is long JSON is known by its beginning", async () => {
    let long = JSON.stringify(Array.from({ length: 1000 }, (_, key) => ({ key })));
    expect(await typeOf(long.slice(0, 5000), "export.dat", false)).toBe("application/json");
    expect(await typeOf("[draft] a note that goes on and on", "note", false)).toBe("text/plain");
  });

  test("with control characters is none", async () => {
    expect(await typeOf("a\0b", "a.txt")).toBe("application/octet-stream");
    expect(await typeOf("a\x01b", "a.csv")).toBe("application/octet-stream");
    expect(await typeOf("\x1b[31mred\x1b[0m\n", "a.log")).toBe("text/plain");
    // The end of a DOS text.
    expect(await typeOf("DIR\r\n\x1a", "a.txt")).toBe("text/plain");
    expect(await typeOf("a\x1ab\x1a", "a.txt")).toBe("application/octet-stream");
  });
});

describe("binary", () => {
  const CASES: [what: string, name: string, content: Uint8Array, type: string][] = [
    ["no bytes", "a.png", bytes(), "application/octet-stream"],
    ["one NUL", "a.bin", bytes(0), "application/octet-stream"],
    ["a gzip bomb", "a.gz", gzipSync(new Uint8Array(50_000_000)), "application/gzip"],
    [
      "a TIFF with its directory far behind",
      "a.tif",
      bytes("II*\0", u32(90_000_000, true), 1, 2),
      "image/tiff",
    ],
    ["a BigTIFF", "a.tif", bytes("MM\0+", [0, 8, 0, 0], new Uint8Array(20)), "image/tiff"],
    ["a bitmap", "a.bmp", bytes("BM", new Uint8Array(12), u32(40, true), new Uint8Array(36)), "image/bmp"],
    ["BM and no bitmap", "a.bin", bytes("BM", new Uint8Array(50)), "application/octet-stream"],
    ["SQLite", "a.db", bytes("SQLite format 3\0", new Uint8Array(84)), "application/vnd.sqlite3"],
    [
      "a GeoPackage",
      "a.bin",
      bytes("SQLite format 3\0", new Uint8Array(52), "GPKG", new Uint8Array(28)),
      "application/geopackage+sqlite3",
    ],
    [
      "an icon",
      "a.bin",
      bytes([0, 0, 1, 0, 1, 0, 16, 16, 0, 0], new Uint8Array(60)),
      "image/vnd.microsoft.icon",
    ],
    [
      "a spreadsheet of 1-2-3",
      "a.bin",
      bytes("\0\0\x02\0\x06\x04\x06\0\x08\0", new Uint8Array(8), [0x2f, 0, 1, 0, 1, 2, 0, 1, 0]),
      "application/vnd.lotus-1-2-3",
    ],
    ["a web archive", "a.bin", bytes("WARC/1.1\r\n", new Uint8Array(20)), "application/warc"],
    ["WordPerfect", "a.bin", bytes("\xffWPC", u32(16, true), [1, 10]), "application/vnd.wordperfect"],
    ["Excel 4", "a.bin", bytes([9, 4, 6, 0, 0, 0, 16, 0], 0, 0), "application/vnd.ms-excel"],
    ["DV", "a.bin", bytes([0x1f, 7, 0, 0xbf], new Uint8Array(476)), "video/x-dv"],
    [
      "a table of a shapefile",
      "a.dbf",
      bytes([3, 124, 5, 6], u32(1), u16(65, true), 0, 0, new Uint8Array(60)),
      "application/vnd.dbf",
    ],
    ["no table of that name", "a.dbf", bytes([3, 124, 0, 6], new Uint8Array(60)), "application/octet-stream"],
    ["the index of a shapefile", "a.shx", bytes([0, 0, 0x27, 10], new Uint8Array(96)), "application/vnd.shx"],
    ["a shapefile", "a.bin", bytes([0, 0, 0x27, 10], new Uint8Array(96)), "application/vnd.shp"],
    ["a disk of QEMU", "a.img", bytes("QFI\xfb", u32(3)), "application/x-qemu-disk"],
    ["StuffIt", "a.bin", bytes("SIT!", 0, 1, u32(9), "rLau"), "application/x-stuffit"],
    ["a cut Ogg", "a.ogg", bytes("OggS\0\x02"), "audio/ogg"],
    ["an ID3 tag without end", "a.mp3", bytes("ID3\x03\0\0\x7f\x7f\x7f\x7f", 0), "audio/mpeg"],
    ["Matroska", "a.mkv", bytes("\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska"), "video/x-matroska"],
    ["WebM", "a.mkv", bytes("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"), "video/webm"],
    ["MP4 sound", "a.m4a", bytes([0, 0, 0, 16], "ftypM4A ", [0, 0, 0, 0]), "audio/mp4"],
    [
      "a HEIF that is AVIF",
      "a.heif",
      bytes([0, 0, 0, 24], "ftypmif1", [0, 0, 0, 0], "miafavif"),
      "image/avif",
    ],
    ["a HEIF", "a.heif", bytes([0, 0, 0, 20], "ftypmif1", [0, 0, 0, 0], "heic"), "image/heif"],
    ["a WAV", "a.wav", bytes("RIFF", u32(4, true), "WAVE"), "audio/wav"],
    ["HDF5", "a.h5", bytes("\x89HDF\r\n\x1a\n", 0), "application/x-hdf5"],
    ["a PDF behind junk", "a.pdf", bytes([0, 1, 2], "%PDF-1.4"), "application/pdf"],
    ["ZIP", "a.zip", zip(["a.bin", bytes(0, 1)]), "application/zip"],
    ["an empty ZIP", "a.zip", bytes("PK\x05\x06", new Uint8Array(18)), "application/zip"],
    [
      "ODT",
      "a.odt",
      zip(["mimetype", "application/vnd.oasis.opendocument.text"]),
      "application/vnd.oasis.opendocument.text",
    ],
    [
      "an OpenDocument file that file-type does not know",
      "a.zip",
      zip(["mimetype", "application/vnd.oasis.opendocument.chart"], ["content.xml", "<a/>"]),
      "application/vnd.oasis.opendocument.chart",
    ],
    ["a WAV of more than 4 GiB", "a.wav", bytes("RF64", [255, 255, 255, 255], "WAVEds64", 0), "audio/wav"],
    ["Sun audio", "a.bin", bytes(".snd", u32(24)), "audio/basic"],
    ["OpenEXR", "a.bin", bytes([0x76, 0x2f, 0x31, 0x01, 2, 0, 0, 0]), "image/x-exr"],
    ["PCX", "a.bin", bytes([10, 5, 1, 8, 0, 0]), "image/vnd.zbrush.pcx"],
    ["a cpio archive", "a.bin", bytes("070701", 0), "application/x-cpio"],
    ["LZMA", "a.bin", bytes("]\0\0\x80\0\xff\xff\xff\xff", 0), "application/x-lzma"],
    ["MATLAB", "a.bin", bytes("MATLAB 5.0 MAT-file, made by", 0, "\x01IM"), "application/x-matlab-data"],
    ["NetCDF of the third kind", "a.bin", bytes("CDF\x05", 0), "application/x-netcdf"],
    ["EPUB", "a.zip", zip(["mimetype", "application/epub+zip"]), "application/epub+zip"],
    [
      "a workbook that is no XML",
      "a.xlsx",
      zip(["[Content_Types].xml", "<Types/>"], ["_rels/.rels", "<a/>"], ["xl/workbook.bin", "x"]),
      "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    ],
    [
      "a workbook that is XML",
      "a.xlsb",
      zip(["[Content_Types].xml", "<Types/>"], ["_rels/.rels", "<a/>"], ["xl/workbook.xml", "x"]),
      `${office}spreadsheetml.sheet`,
    ],
    ["an old Word file", "a.bin", compound("Root Entry", "WordDocument"), "application/msword"],
    ["an old Excel file", "a.doc", compound("Root Entry", "Workbook"), "application/vnd.ms-excel"],
    ["an old file known by name", "a.ppt", compound("Root Entry"), "application/vnd.ms-powerpoint"],
    ["an old file not known", "a.bin", compound("Root Entry"), "application/x-cfb"],
  ];
  for (let [what, name, content, type] of CASES) {
    test(`${what} named ${name} is ${type}`, async () => {
      expect(await typeOf(content, name)).toBe(type);
    });
  }

  test("an Office file is known when the telling entry is behind the head", async () => {
    let picture = new Uint8Array(50_000).fill(7);
    let byFolder = zip(["_rels/.rels", "x"], ["word/media/image1.png", picture]).slice(0, 20_000);
    expect(await typeOf(byFolder, "a.bin", false)).toBe(`${office}wordprocessingml.document`);
    let byName = zip(["_rels/.rels", "x"], ["docProps/thumbnail.jpeg", picture]).slice(0, 20_000);
    expect(await typeOf(byName, "a.pptx", false)).toBe(`${office}presentationml.presentation`);
    expect(await typeOf(byName, "a.zip", false)).toBe("application/zip");
    let plain = zip(["holiday.jpg", picture]).slice(0, 20_000);
    expect(await typeOf(plain, "a.docx", false)).toBe("application/zip");
  });
});

test("every type has a kind that people would expect", () => {
  const EXPECTED = {
    "image/svg+xml": "image",
    "video/x-matroska": "video",
    "audio/ogg": "audio",
    "application/pdf": "document",
    "application/msword": "document",
    [`${office}spreadsheetml.sheet`]: "document",
    "application/vnd.oasis.opendocument.text": "document",
    "application/epub+zip": "document",
    "application/rtf": "document",
    "application/zip": "archive",
    "application/x-7z-compressed": "archive",
    "application/json": "text",
    "application/xml": "text",
    "text/html": "text",
    "application/geo+json": "text",
    "message/rfc822": "text",
    "application/vnd.ms-outlook": "document",
    "application/x-lzma": "archive",
    "application/vnd.lotus-1-2-3": "document",
    "application/warc": "archive",
    "video/x-dv": "video",
    "application/vnd.sqlite3": "other",
    "application/octet-stream": "other",
    "font/ttf": "other",
  } as const;
  for (let [type, kind] of Object.entries(EXPECTED)) expect([type, kindOf(type)]).toEqual([type, kind]);
});

test("the key of a film ends as its name does, where one format has several extensions", async () => {
  let packet = bytes(0x47, new Uint8Array(187));
  for (let [name, extension] of [
    ["a.ts", "ts"],
    ["a.exe", "mts"],
  ] as const) {
    expect((await detectMediaType(bytes(packet, packet), true, name)).extension).toBe(extension);
  }
});

test("extensions are read as systems read them", () => {
  expect(extensionsOf("x.PHP.jpg")).toEqual(["php", "jpg"]);
  expect(extensionsOf("shell.php .jpg")).toEqual(["php", "jpg"]);
  expect(extensionsOf("shell.php. . ")).toEqual(["php"]);
  expect(extensionsOf(".htaccess")).toEqual(["htaccess"]);
  expect(extensionsOf("archive.tar.gz")).toEqual(["tar", "gz"]);
  expect(extensionsOf("none")).toEqual([]);
});

test("every extension that file-type gives can stand in a key", async () => {
  let uid = "01a22fd4-76ed-70b0-b99c-06dc43ecef8c";
  for (let found of supportedExtensions) {
    let { extension } = canonicalType("application/octet-stream", found);
    let key = objectKey({ prefix: "uploads/", uid, extension, createdAtMs: Date.UTC(2026, 11, 1) });
    expect(key).toBe(`uploads/2026/12/${uid}.${found.toLowerCase()}`);
  }
  let compressed = await detectMediaType(bytes([0x1f, 0x9d, 0x90, 0x80, 0xff]), true, "a.Z");
  expect(compressed).toEqual({ contentType: "application/x-compress", extension: "z", kind: "archive" });
});
