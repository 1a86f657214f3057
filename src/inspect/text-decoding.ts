const telltaleBytes = 512;
/** Of bytes beyond ASCII: a short text in one Western 8-bit character set has fewer. */
const maxHighShare = 0.3;
/** In this many bytes of anything but text there is a control character, as good as surely. */
const tellingBytes = 256;
/** In fewer, not even a name makes a text. */
const fewestBytes = 4;

// oxlint-disable-next-line no-control-regex -- text has none but tab, line ends, form feed, backspace and escape
const binaryCharacter = /[\u0000-\u0007\u000b\u000e-\u001a\u001c-\u001f]/;

/** The characters of a text file, or null when the bytes are no text: Unicode, else an 8-bit character set. */
export function decodeText(bytes: Uint8Array, isWhole: boolean): string | null {
  return decodeUnicode(bytes, isWhole) ?? decodeEightBit(bytes);
}

/** UTF-8, or UTF-16 with a byte order mark. A character that is cut by the end counts as text unless `isWhole`. */
export function decodeUnicode(bytes: Uint8Array, isWhole: boolean): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode("utf-16le", bytes, isWhole);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode("utf-16be", bytes, isWhole);
  return showsBinary(bytes) ? null : decode("utf-8", bytes, isWhole);
}

/**
 * An 8-bit character set, read as Latin-1; many binary files without a zero near their beginning come close to it.
 *
 * @param isNamedText what else says that it is text: then it may also be Cyrillic, Japanese, …
 */
export function decodeEightBit(bytes: Uint8Array, isNamedText = false): string | null {
  if (showsBinary(bytes)) return null;
  if (bytes.byteLength < (isNamedText ? fewestBytes : tellingBytes)) {
    let high = bytes.reduce((count, byte) => count + (byte >> 7), 0);
    if (high > bytes.byteLength * maxHighShare) return null;
  }
  return unlessBinary(new TextDecoder("latin1").decode(bytes));
}

/** Most binary files show it at once: a control character is the same byte in UTF-8 and in 8-bit character sets. */
function showsBinary(bytes: Uint8Array): boolean {
  let { buffer, byteOffset, byteLength } = bytes.subarray(0, telltaleBytes);
  return binaryCharacter.test(Buffer.from(buffer, byteOffset, byteLength).toString("latin1"));
}

function decode(encoding: "utf-8" | "utf-16le" | "utf-16be", bytes: Uint8Array, isWhole: boolean) {
  try {
    return unlessBinary(new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: !isWhole }));
  } catch {
    return null;
  }
}

function unlessBinary(text: string): string | null {
  return binaryCharacter.test(text) ? null : text;
}
