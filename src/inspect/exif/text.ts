import { maxTextCharacters } from "./limits.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** The label means windows-1252, which is Latin-1 with printable characters from 80 to 9F. */
const latin1 = new TextDecoder("latin1");

/** But tab and line ends; also what turns the direction of the text behind it, so that `exe.jpg` shows for `gpj.exe`. */
const controlCharacters = /[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * Text of a metadata field: up to the first NUL, UTF-8 or else Latin-1, without control characters but tab and line
 * ends, without trailing blanks, at most maxTextCharacters.
 */
export function fieldText(bytes: Uint8Array): string {
  let nul = bytes.indexOf(0);
  return tidyText(decode(nul < 0 ? bytes : bytes.subarray(0, nul)));
}

/** A comment field that begins with eight bytes naming its character set. */
export function commentText(bytes: Uint8Array, littleEndian: boolean): string {
  let charset = String.fromCharCode(...bytes.subarray(0, 8)).split("\0", 1)[0];
  let content = bytes.subarray(8);
  if (charset === "UNICODE") return utf16Text(content, utf16Order(content) ?? littleEndian);
  return charset === "ASCII" || charset === "" ? fieldText(content) : "";
}

/** Many programs write their own order of bytes, whatever the block's is: most letters have a zero in front or behind. */
function utf16Order(content: Uint8Array): boolean | null {
  let zeros = [0, 0];
  content.forEach((byte, at) => (zeros[at & 1] = (zeros[at & 1] ?? 0) + (byte === 0 ? 1 : 0)));
  let [inFront = 0, behind = 0] = zeros;
  return inFront === behind ? null : behind > inFront;
}

export function utf16Text(bytes: Uint8Array, littleEndian: boolean): string {
  let text = new TextDecoder(littleEndian ? "utf-16le" : "utf-16be").decode(bytes);
  let nul = text.indexOf("\0");
  return tidyText(nul < 0 ? text : text.slice(0, nul));
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return latin1.decode(bytes);
  }
}

function tidyText(text: string): string {
  // Cut by code points: half a surrogate pair is no character.
  let bounded = text.length > maxTextCharacters ? text.slice(0, maxTextCharacters) : text;
  return bounded
    .toWellFormed()
    .replace(/\ufffd$/, "")
    .replaceAll(controlCharacters, "")
    .trimEnd();
}
