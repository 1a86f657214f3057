const maxHeaderCharacters = 1024;

/** A token in an Authorization header; `untrustedToken` is null when the header holds none that can be read. */
export interface Credentials {
  scheme: "bearer" | "basic" | "other";
  untrustedToken: string | null;
}

/** Null when there is no header. With Basic (`curl -u anything:TOKEN`) the password is the token, the user is ignored. */
export function readAuthorization(header: string | undefined): Credentials | null {
  if (header === undefined) return null;
  let text = header.slice(0, maxHeaderCharacters).trim();
  let [scheme = ""] = text.split(/\s/, 1);
  let value = text.slice(scheme.length).trimStart();
  switch (scheme.toLowerCase()) {
    case "bearer":
      return { scheme: "bearer", untrustedToken: value };
    case "basic": {
      let pair = Buffer.from(value, "base64").toString("utf8");
      let colon = pair.indexOf(":");
      return { scheme: "basic", untrustedToken: colon < 0 ? null : pair.slice(colon + 1) };
    }
    default:
      return { scheme: "other", untrustedToken: null };
  }
}
