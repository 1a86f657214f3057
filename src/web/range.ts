/** First and last byte, both included. */
export interface ByteRange {
  first: number;
  last: number;
}

/**
 * What a Range header asks of a body (RFC 9110, 14.2): one range of it; the whole of it (no header, a broken one, another
 * unit, or several ranges, which a server may ignore); or nothing that is there.
 * @param sizeBytes of the whole body.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | "whole" | "unsatisfiable" {
  let match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? "");
  if (!match) return "whole";
  let [, from = "", to = ""] = match;
  if (from === "" && to === "") return "whole";
  if (from === "") {
    let suffixBytes = Math.min(Number(to), sizeBytes);
    return suffixBytes === 0 ? "unsatisfiable" : { first: sizeBytes - suffixBytes, last: sizeBytes - 1 };
  }
  let first = Number(from);
  let last = to === "" ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== "" && Number(to) < first) return "whole";
  return first >= sizeBytes ? "unsatisfiable" : { first, last };
}
