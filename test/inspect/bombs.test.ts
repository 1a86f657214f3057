import { describe, expect, test } from "bun:test";
import { createDeflate, createDeflateRaw, createGzip } from "node:zlib";

import { MIB } from "../../src/units.ts";
import { bytes, png, pngChunk, u16, u32 } from "../support/images.ts";
import { inspectBytes } from "./inspect-bytes.ts";

/** What a few hundred KiB become when somebody unpacks them. */
const unpackedBytes = 300 * MIB;
/** Far below that, and far above what looking at a head takes. */
const mostGrownBytes = 100 * MIB;

/** Made piece by piece, so that making it takes no memory either. */
async function zeros(deflate: NodeJS.ReadWriteStream): Promise<Buffer> {
  let parts: Buffer[] = [];
  deflate.on("data", (part: Buffer) => parts.push(part));
  let ended = new Promise((resolve) => deflate.on("end", resolve));
  let piece = Buffer.alloc(MIB);
  for (let at = 0; at < unpackedBytes; at += piece.length) {
    if (!deflate.write(piece)) await new Promise((resolve) => deflate.once("drain", resolve));
  }
  deflate.end();
  await ended;
  return Buffer.concat(parts);
}

const raw = await zeros(createDeflateRaw({ level: 9 }));
const zlib = await zeros(createDeflate({ level: 9 }));
const gzip = await zeros(createGzip({ level: 9 }));

function le(value: number): number[] {
  return u32(value, true);
}

function zipEntry(name: string, content: Uint8Array): Uint8Array {
  return bytes(
    "PK\x03\x04",
    [...u16(20, true), ...u16(0, true), ...u16(8, true), ...le(0), ...le(0)],
    [...le(content.length), ...le(unpackedBytes), ...u16(name.length, true), ...u16(0, true)],
    name,
    content,
  );
}

/** The file as it is looked at on its way: type and facts, and how much memory that took at most. */
async function lookAt(name: string, content: Uint8Array) {
  let before = process.resourceUsage().maxRSS;
  let { media } = await inspectBytes(content, name);
  // KiB on Linux.
  return { type: media.contentType, grownBytes: (process.resourceUsage().maxRSS - before) * 1024 };
}

describe("what is packed is not unpacked to be looked at:", () => {
  let office = "[Content_Types].xml";
  let cases: [string, string, Uint8Array, string][] = [
    ["gzip", "a.tar.gz", gzip, "application/gzip"],
    ["a ZIP", "a.zip", zipEntry("a.txt", raw), "application/zip"],
    ["an Office file", "a.docx", zipEntry(office, raw), "document"],
    ["an OpenDocument file", "a.odt", zipEntry("mimetype", raw), "application/"],
    [
      "an EPUB",
      "a.epub",
      bytes(zipEntry("mimetype", raw), zipEntry("META-INF/container.xml", raw)),
      "application/",
    ],
    ["a Java archive", "a.jar", zipEntry("META-INF/MANIFEST.MF", raw), "application/"],
    [
      "text in a PNG",
      "a.png",
      png(1, 1, pngChunk("zTXt", bytes("Raw profile type exif\0\0", zlib))),
      "image/png",
    ],
    [
      "more text in a PNG",
      "b.png",
      png(1, 1, pngChunk("iTXt", bytes("Raw profile type APP1\0\x01\0\0\0", zlib))),
      "image/png",
    ],
    ["colours of a PNG", "c.png", png(1, 1, pngChunk("iCCP", bytes("icc\0\0", zlib))), "image/png"],
    ["SVG", "a.svgz", gzip, "application/gzip"],
  ];
  test.each(cases)("%s", async (_what, name, content, type) => {
    let seen = await lookAt(name, content);
    expect(seen.type).toContain(type);
    expect(seen.grownBytes).toBeLessThan(mostGrownBytes);
  });

  test("an archive of an archive of an archive", async () => {
    let seen = await lookAt("a.zip", zipEntry("a.zip", zipEntry("b.zip", zipEntry("c.txt", raw))));
    expect(seen.type).toBe("application/zip");
    expect(seen.grownBytes).toBeLessThan(mostGrownBytes);
  });
});
