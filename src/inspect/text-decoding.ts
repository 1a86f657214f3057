const utf16Unit = 2;
/** Of bytes beyond ASCII: a short text in one Western 8-bit character set has fewer. */
const maxHighShare = 0.3;
/** In this many bytes of anything but text there is a control character, as good as surely. */
const tellingBytes = 256;

// oxlint-disable-next-line no-control-regex -- text has none but tab, line ends, form feed, backspace and escape
const binaryCharacter = /[\u0000-\u0007\u000b\u000e-\u001a\u001c-\u001f]/;

/**
 * The characters of a text file, or null when the bytes are no text: UTF-8, UTF-16 with a byte order mark, or an 8-bit
 * character set (read as Latin-1). A character that is cut by the end counts as text unless `isWhole`.
 */
export function decodeText(bytes: Uint8Array, isWhole: boolean): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeUtf16("utf-16le", bytes, isWhole);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeUtf16("utf-16be", bytes, isWhole);
  // Most binary files show it at once.
  if (bytes.subarray(0, 64).includes(0)) return null;
  let text = decode("utf-8", bytes, isWhole) ?? decodeEightBit(bytes);
  return text === null || binaryCharacter.test(text) ? null : text;
}

function decodeUtf16(encoding: "utf-16le" | "utf-16be", bytes: Uint8Array, isWhole: boolean): string | null {
  if (isWhole && bytes.byteLength % utf16Unit !== 0) return null;
  let text = decode(encoding, bytes, isWhole);
  return text === null || binaryCharacter.test(text) ? null : text;
}

function decode(
  encoding: "utf-8" | "utf-16le" | "utf-16be",
  bytes: Uint8Array,
  isWhole: boolean,
): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: !isWhole });
  } catch {
    return null;
  }
}

function decodeEightBit(bytes: Uint8Array): string | null {
  let high = 0;
  for (let byte of bytes) if (byte >= 0x80) high++;
  if (bytes.byteLength < tellingBytes && high > bytes.byteLength * maxHighShare) return null;
  return new TextDecoder("latin1").decode(bytes);
}
