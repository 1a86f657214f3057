const readingMethods = new Set(["GET", "HEAD", "OPTIONS"]);

export interface RequestOrigin {
  method: string;
  headers: Headers;
  /** The host that was asked for and believed, with its port. */
  host: string;
  publicUrl: string | null;
}

/**
 * True when another web site made a browser send a request that may change something. Browsers tell so in
 * Sec-Fetch-Site, or, on plain http, in Origin; a request with neither comes from a program and passes. `same-site` is
 * another site too: a neighbour on the domain or another port of localhost. Reading is not stopped here: a page can't see
 * an answer for which CORS was not granted, and Cross-Origin-Resource-Policy keeps files out of foreign pages.
 */
export function isCrossSite({ method, headers, host, publicUrl }: RequestOrigin): boolean {
  if (readingMethods.has(method)) return false;
  let site = headers.get("Sec-Fetch-Site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  let origin = headers.get("Origin");
  return origin !== null && !isOurs(origin, host, publicUrl);
}

/** The scheme of our own host is not compared: TLS may end at a proxy that does not say so. */
function isOurs(origin: string, host: string, publicUrl: string | null): boolean {
  let url = URL.canParse(origin) ? new URL(origin) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return false;
  if (publicUrl !== null && url.origin === new URL(publicUrl).origin) return true;
  let own = `${url.protocol}//${host}`;
  return URL.canParse(own) && url.host === new URL(own).host;
}
