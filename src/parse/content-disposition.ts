import { parseHeaderParameters } from "./header-parameters.ts";
import type { HeaderParameter } from "./header-parameters.ts";
import { decodeLatin1, decodeText, decodeUtf8, percentDecode } from "./text.ts";

export interface ContentDisposition {
  /** `form-data`, `attachment`, …; lower-case. */
  type: string;
  /** The form field, or null. */
  name: string | null;
  /** The sender's name for the file, untrusted; empty when it was sent empty, null when there is none. */
  filename: string | null;
}

const extendedValue = /^([\w.:-]+)'[\w-]*'(.*)$/;
const brokenPercent = /%(?![0-9A-Fa-f]{2})/;
const encodedWords = /^(?:=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=\s*)+$/;
const encodedWord = /=\?([^?\s]+)\?([BbQq])\?([^?\s]*)\?=\s*/g;

/**
 * Reads a Content-Disposition header (RFC 7578, 6266, 8187) the way its senders meant it.
 *
 * - `filename*` wins over `filename` when its charset and percent sequences are sound; of repeated ones the first counts.
 * - Bytes are UTF-8, or Latin-1 when they are not valid UTF-8. `=?utf-8?B?…?=` (RFC 2047) is decoded when it is the whole value.
 * - In quotes, `%22`, `%0D` and `%0A` are `"`, CR and LF: browsers, and curl since 7.81, encode those three and nothing else, so
 *   every other percent sign is part of the name.
 * - In quotes, `\"` and `\\` are escapes (older curl, Go, Java); a backslash before anything else is a Windows path. A UNC path
 *   loses one backslash by this, which no longer matters once only its last segment is kept.
 *
 * @param header the value as a binary string: one character a byte.
 */
export function parseContentDisposition(header: string): ContentDisposition {
  let { value: type, parameters } = parseHeaderParameters(header);
  let name = find(parameters, "name");
  let filename = find(parameters, "filename");
  let extended = find(parameters, "filename*");
  return {
    type,
    name: name ? plainText(name) : null,
    filename: (extended && extendedText(extended.value)) ?? plainText(filename ?? extended),
  };
}

function find(parameters: HeaderParameter[], name: string): HeaderParameter | undefined {
  return parameters.find((parameter) => parameter.name === name);
}

function plainText(parameter: HeaderParameter): string;
function plainText(parameter: HeaderParameter | undefined): string | null;
function plainText(parameter: HeaderParameter | undefined): string | null {
  if (!parameter) return null;
  let text = decodeText(Buffer.from(parameter.value, "latin1"));
  if (encodedWords.test(text)) return decodeEncodedWords(text);
  return parameter.quoted ? unescape(text) : text;
}

function unescape(text: string): string {
  if (text.includes('\\"')) return text.replace(/\\(["\\])/g, "$1");
  return text.replaceAll("\\\\", "\\").replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n");
}

/** `charset'language'percent-encoded`; null when the charset is unknown or the encoding broken. */
function extendedText(value: string): string | null {
  let parts = extendedValue.exec(value);
  let charset = parts?.[1]?.toLowerCase();
  let encoded = parts?.[2];
  if (encoded === undefined || brokenPercent.test(encoded)) return null;
  // The header is a binary string: a sender that left some bytes unencoded meant those bytes.
  let bytes = Buffer.from(decodeURIBytes(encoded));
  if (charset === "utf-8" || charset === "us-ascii") return decodeUtf8(bytes);
  return charset === "iso-8859-1" ? decodeLatin1(bytes) : null;
}

function decodeURIBytes(encoded: string): Uint8Array {
  return percentDecode(
    encoded.replace(/[\x80-\xFF]/g, (character) => `%${character.charCodeAt(0).toString(16)}`),
  );
}

function decodeEncodedWords(text: string): string {
  return text.replace(encodedWord, (whole: string, charset: string, encoding: string, payload: string) => {
    let bytes =
      encoding.toUpperCase() === "B"
        ? Buffer.from(payload, "base64")
        : percentDecode(payload.replaceAll("%", "%25").replaceAll("_", " ").replaceAll("=", "%"));
    if (charset.toLowerCase() === "utf-8") return decodeText(bytes);
    return /^(iso-8859-1|windows-1252|us-ascii)$/i.test(charset) ? decodeLatin1(bytes) : whole;
  });
}
