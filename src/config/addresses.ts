import { isIP } from "node:net";

import { trimEndOf } from "../trim-end.ts";

const hostLabels = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const maxHostLength = 253;

/** A host to listen on: an IP address (IPv6 with or without brackets) or a name; null when it is neither. */
export function parseHost(given: string): string | null {
  let host = given.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) return host;
  // What looks like an IPv4 address and is none would be looked up as a name.
  if (/^[\d.]+$/.test(host) || host.length > maxHostLength) return null;
  return hostLabels.test(host) ? host.toLowerCase() : null;
}

/** An http(s) URL without user, query and fragment, and without a slash at its end; null when it is anything else. */
export function parseHttpUrl(given: string): string | null {
  if (!/^https?:\/\/[^/]/i.test(given) || /[\s\\?#]/.test(given)) return null;
  let url = URL.parse(given);
  if (url === null || url.username !== "" || url.password !== "") return null;
  return trimEndOf(url.href, "/");
}

/** An IP address or a range such as `10.0.0.0/8`; null when it is neither. */
export function parseAddressRange(given: string): string | null {
  let [address = "", bits, ...rest] = given.split("/");
  let family = isIP(address);
  if (family === 0 || address.includes("%") || rest.length > 0) return null;
  if (bits === undefined) return given;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128) ? given : null;
}

/** `/a/b` from `a/b`, `/a/b` and `/a/b/`; empty for `/`; null for characters and segments that could mislead. */
export function parseBasePath(given: string): string | null {
  let path = given.replace(/^\/|\/$/g, "");
  if (path === "") return "";
  return isPlainPath(path, /^[A-Za-z0-9._~-]+$/) ? `/${path}` : null;
}

/** Below the prefix this one holds the folders of senders (store/keys.ts); above it nobody could tell which is meant. */
const sendersSegment = "folders";

/** `a/b/` from `a/b`, `/a/b` and `a/b/`; empty for `/` and for nothing; the shape that store/keys.ts demands. */
export function parsePrefix(given: string): string | null {
  let prefix = given.replace(/^\/|\/$/g, "");
  if (prefix === "") return "";
  if (prefix.length > maxPrefixLength) return null;
  if (prefix.split("/").includes(sendersSegment)) return null;
  return isPlainPath(prefix, /^[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*$/) ? `${prefix}/` : null;
}

/** Leaves half of S3's 1,024 bytes to the rest of the key. */
export const maxPrefixLength = 512;

function isPlainPath(path: string, segmentPattern: RegExp): boolean {
  return path
    .split("/")
    .every((segment) => segmentPattern.test(segment) && segment !== "." && segment !== "..");
}
