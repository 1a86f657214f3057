import { isProbeKey, kindOfKey, prefixOfKey } from "../store/key-kinds.ts";
import type { Skip } from "./report.ts";

/**
 * What a key alone tells about an object that is to have no row; null for those that have to be looked at.
 *
 * @param s3Prefix of the configuration; marks, quarantine and probes under an earlier prefix are known by their shape
 */
export function skipByKey(key: string, s3Prefix: string): Skip | null {
  if (isProbeKey(key)) return "probe";
  let prefix = prefixOfKey(key);
  for (let one of prefix === null ? [s3Prefix] : [prefix, s3Prefix]) {
    let { kind } = kindOfKey(one, key);
    if (kind === "quarantined") return "quarantined";
    if (kind === "link" || kind === "gone") return "mark";
  }
  return key.endsWith("/") ? "folder" : null;
}

/** Why no request could name the object, or null: an address loses such segments on its way (RFC 3986, 5.2.4). */
export function unusableBecause(key: string): string | null {
  let isLost = key.split("/").some((segment) => segment === "." || segment === "..");
  if (isLost) return "a part of its key is . or .., which no address can hold: copy it to another key";
  return key.isWellFormed() ? null : "its key is not valid Unicode: copy it to another key";
}
