const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const windows1252 = new TextDecoder("windows-1252");

/** Bytes as text: UTF-8 when they are valid UTF-8, else Latin-1 as the web reads it (windows-1252), which always works. */
export function decodeText(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? decodeLatin1(bytes);
}

export function decodeLatin1(bytes: Uint8Array): string {
  return windows1252.decode(bytes);
}

/** Null when the bytes are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
}

const percentSequence = /%[0-9A-Fa-f]{2}/g;

/**
 * Percent-decodes once, into bytes. What is not `%` and two hex digits stays as it is, as UTF-8.
 */
export function percentDecode(text: string): Uint8Array {
  let pieces: Uint8Array[] = [];
  let end = 0;
  for (let match of text.matchAll(percentSequence)) {
    if (match.index > end) pieces.push(Buffer.from(text.slice(end, match.index)));
    pieces.push(Uint8Array.of(Number.parseInt(match[0].slice(1), 16)));
    end = match.index + match[0].length;
  }
  pieces.push(Buffer.from(text.slice(end)));
  return Buffer.concat(pieces);
}
