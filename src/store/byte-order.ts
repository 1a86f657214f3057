/**
 * Compares two well-formed strings by their UTF-8 bytes, the order in which S3 lists keys. JavaScript's own order differs
 * only where a surrogate pair meets U+E000 to U+FFFF.
 */
export function compareByteOrder(a: string, b: string): number {
  let length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let left = a.charCodeAt(i);
    let right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Moves the surrogates behind all other code units. */
function rank(codeUnit: number): number {
  if (codeUnit < 0xd800) return codeUnit;
  return codeUnit >= 0xe000 ? codeUnit - 0x800 : codeUnit + 0x2000;
}
