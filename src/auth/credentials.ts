import { KIB } from "../units.ts";

/** The longest name and password take some 4,400; Bun takes heads of 16 KiB. */
const maxHeaderCharacters = 8 * KIB;

/** What stands in an Authorization header. */
export interface Credentials {
  scheme: "bearer" | "basic" | "other";
  /** The token, or the password of a pair; null when the header holds none that can be read. */
  untrustedToken: string | null;
  /** The name of a pair; null for other schemes. */
  untrustedName: string | null;
}

/** Null when there is no header. */
export function readAuthorization(header: string | undefined): Credentials | null {
  if (header === undefined) return null;
  let text = header.slice(0, maxHeaderCharacters).trim();
  let [scheme = ""] = text.split(/\s/, 1);
  let value = text.slice(scheme.length).trimStart();
  switch (scheme.toLowerCase()) {
    case "bearer":
      return { scheme: "bearer", untrustedToken: value, untrustedName: null };
    case "basic": {
      let pair = Buffer.from(value, "base64").toString("utf8");
      let colon = pair.indexOf(":");
      if (colon < 0) return { scheme: "basic", untrustedToken: null, untrustedName: null };
      return {
        scheme: "basic",
        untrustedToken: pair.slice(colon + 1),
        untrustedName: pair.slice(0, colon),
      };
    }
    default:
      return { scheme: "other", untrustedToken: null, untrustedName: null };
  }
}
