const unsafeInQuotedString = /[^\x20-\x7e]|["\\%]/g;
const keptByRfc8187 = /[!'()*]/g;

/**
 * A Content-Disposition value (RFC 6266) in ASCII alone, because anything else is destroyed on the wire: a fallback for
 * old clients, and the true name percent-encoded. The fallback has no `%` either: some browsers would decode it.
 */
export function contentDisposition(kind: "inline" | "attachment", filename: string): string {
  let fallback = filename
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^\x20-\x7e]/gu, "_")
    .replace(unsafeInQuotedString, "_");
  let encoded = encodeURIComponent(filename.toWellFormed()).replace(
    keptByRfc8187,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${fallback}"; filename*=UTF-8''${encoded}`;
}
