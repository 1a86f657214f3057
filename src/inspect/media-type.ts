import { fileTypeFromBuffer } from "file-type";

import type { MediaType } from "../domain.ts";
import { MIB } from "../units.ts";
import { refineBrand } from "./brands.ts";
import { canonicalType } from "./canonical-types.ts";
import { compoundFileType } from "./compound-file.ts";
import { extensionOf } from "./extension.ts";
import { kindOf } from "./kind-of.ts";
import { fallbackType, signatureType } from "./signatures.ts";
import { decodeEightBit, decodeUnicode } from "./text-decoding.ts";
import { textType } from "./text-type.ts";
import { textTypeOfExtension, usualTextExtension } from "./text-types.ts";
import { tiffType } from "./tiff-type.ts";
import { refineWorkbook, refineZip } from "./zip-type.ts";

/** Most bytes that file-type may hold at once; what asks for more is hostile. */
const maxBufferBytes = 1 * MIB;

/** A recognised type with the extension it usually has. */
export interface Recognised {
  type: string;
  extension: string;
}

/**
 * The media type of a file by its content; the name only decides where content can't: which kind of text, which of
 * several types in one container. Never rejects; `application/octet-stream` when nothing was recognised or there are no bytes.
 *
 * @param head the first bytes; some hundred KiB suffice
 * @param isWhole whether the head is the whole file
 */
export async function detectMediaType(
  head: Uint8Array,
  isWhole: boolean,
  filename: string,
): Promise<MediaType> {
  let { type, extension } = await recognise(head, isWhole, extensionOf(filename));
  return { contentType: type, extension, kind: kindOf(type) };
}

async function recognise(head: Uint8Array, isWhole: boolean, extension: string): Promise<Recognised> {
  let unknown = { type: "application/octet-stream", extension: "bin" };
  // DOS programs end a text with this.
  if (isWhole && head.at(-1) === 0x1a) head = head.subarray(0, -1);
  if (head.byteLength === 0) return unknown;
  // Text goes first: letters at the start of a text look like many a magic number (BM, MZ, FORM, MAC).
  let text = decodeUnicode(head, isWhole) ?? (isAscii(head[0]) ? decodeEightBit(head) : null);
  if (text !== null) return asText(text, isWhole, extension);
  let settled =
    signatureType(head, extension) ??
    (await tiffType(head, extension)) ??
    (await byMagicNumber(head, extension));
  let binary = (settled === "unlike" ? null : settled) ?? fallbackType(head);
  if (binary) return binary;
  let isNamedText = textTypeOfExtension(extension) !== null;
  let last = isAscii(head[0]) && !isNamedText ? null : decodeEightBit(head, isNamedText);
  return last === null ? unknown : asText(last, isWhole, extension);
}

function isAscii(byte: number | undefined): boolean {
  return byte !== undefined && byte < 0x80;
}

function asText(text: string, isWhole: boolean, extension: string): Recognised {
  let found = textType(text, isWhole, extension);
  return { type: found.type, extension: found.extension ?? usualTextExtension(found.type) };
}

async function byMagicNumber(head: Uint8Array, extension: string): Promise<Recognised | null> {
  try {
    let found = await fileTypeFromBuffer(head, { maxBufferSize: maxBufferBytes });
    if (!found) return null;
    let recognised = canonicalType(found.mime, found.ext);
    if (recognised.type === "application/zip") return refineZip(head, extension);
    if (recognised.type === "application/x-cfb") return compoundFileType(head, extension);
    return refineWorkbook(head, refineBrand(head, recognised, extension));
  } catch {
    return null;
  }
}
