import { inflateSync } from "node:zlib";

import { KIB } from "../../units.ts";
import { memorySource } from "../byte-source.ts";
import { hasAscii } from "../bytes.ts";
import type { TiffPlace } from "../facts.ts";

const maxProfileTextBytes = 512 * KIB;

/** Whether a PNG text chunk begins with the keyword under which ImageMagick and ExifTool write EXIF. */
export function isRawProfile(start: string): boolean {
  return /^Raw profile type (exif|APP1)\0/i.test(start);
}

/** The EXIF block of a "Raw profile" text chunk: hexadecimal digits behind a small header, perhaps deflated. */
export function unpackRawProfile(chunkType: string, content: Uint8Array): TiffPlace | null {
  let text = textOf(chunkType, content);
  let body = text && /^\s*\w+\s+(\d+)\s+([0-9a-f\s]*)/i.exec(text.toString("latin1"));
  if (!body?.[2]) return null;
  let bytes = Buffer.from(body[2].replace(/\s+/g, ""), "hex");
  // APP1 may also hold XMP, which is no EXIF.
  let offset = hasAscii(bytes, "Exif\0") ? 6 : 0;
  return { source: memorySource(bytes), offset, length: bytes.byteLength - offset };
}

function textOf(chunkType: string, content: Uint8Array): Buffer | null {
  let buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  let keywordEnd = buffer.indexOf(0);
  if (chunkType === "tEXt") return buffer.subarray(keywordEnd + 1);
  if (chunkType === "zTXt") return inflateBounded(buffer.subarray(keywordEnd + 2));
  // iTXt: keyword, flag, method, language, translated keyword, text
  let languageEnd = buffer.indexOf(0, keywordEnd + 3);
  let translatedEnd = languageEnd < 0 ? -1 : buffer.indexOf(0, languageEnd + 1);
  if (translatedEnd < 0) return null;
  let text = buffer.subarray(translatedEnd + 1);
  return buffer[keywordEnd + 1] === 1 ? inflateBounded(text) : text;
}

function inflateBounded(deflated: Buffer): Buffer | null {
  try {
    return inflateSync(deflated, { maxOutputLength: maxProfileTextBytes });
  } catch {
    return null;
  }
}
