import { BlockList, isIP } from "node:net";

import { AppError } from "../errors.ts";
import { normalAddress } from "./ip.ts";

/** True for an address (normal form) whose forwarded headers count. */
export type TrustedProxies = (address: string) => boolean;

/**
 * @param entries addresses and CIDR blocks, IPv4 or IPv6, as `trusted_proxies` lists them
 * @throws AppError `invalid_parameter` that names the entry which is neither
 */
export function createTrustedProxies(entries: readonly string[]): TrustedProxies {
  let list = new BlockList();
  for (let entry of entries) addBlock(list, entry.trim());
  return (address) => {
    let version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
  };
}

function addBlock(list: BlockList, entry: string): void {
  let [text = "", prefix, ...rest] = entry.split("/");
  let address = normalAddress(text);
  let bits = address !== null && isIP(address) === 4 ? 32 : 128;
  // An IPv4-mapped block counts its prefix in IPv6 bits.
  let offset = address !== null && isIP(address) === 4 && isIP(text) === 6 ? 96 : 0;
  let length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) - offset : -1;
  if (address === null || rest.length > 0 || length < 0 || length > bits) {
    throw new AppError("invalid_parameter", `“${entry}” is no IP address and no block such as 10.0.0.0/8.`, {
      details: { parameter: "trusted_proxies" },
    });
  }
  list.addSubnet(address, length, bits === 32 ? "ipv4" : "ipv6");
}

/**
 * Who sent a request: the peer, or, when the peer is a trusted proxy, the nearest address of X-Forwarded-For that is no
 * trusted proxy itself. What stands further left was written by the sender and proves nothing.
 * @param peer the other end of the connection; null when it has no address
 */
export function clientAddress(
  peer: string | null,
  forwardedFor: string | null,
  trusted: TrustedProxies,
): string | null {
  let address = peer === null ? null : normalAddress(peer);
  let hops = (forwardedFor ?? "").split(",");
  while (address !== null && trusted(address)) {
    let hop = hops.pop()?.trim();
    let next = hop === undefined ? null : normalAddress(withoutPort(hop));
    if (next === null) return address;
    address = next;
  }
  return address;
}

/** Some proxies write `1.2.3.4:5678` or `[2001:db8::1]:5678`. */
function withoutPort(hop: string): string {
  return /^\[[^\]]+\]:\d+$/.test(hop) || /^[^:]+:\d+$/.test(hop) ? hop.slice(0, hop.lastIndexOf(":")) : hop;
}

/** What is believed about a request's way to us. */
export interface Client {
  address: string | null;
  /** The Host that the sender asked for, unchecked; null when it gave none. */
  untrustedHost: string | null;
  /** True when a trusted proxy says that it was reached by https. */
  secure: boolean;
  /** True when a trusted proxy is at the other end of the connection: its headers are believed. */
  byProxy: boolean;
}

/** Forwarded headers of anybody but a trusted proxy are ignored. */
export function readClient(request: Request, peer: string | null, trusted: TrustedProxies): Client {
  let headers = request.headers;
  let peerAddress = peer === null ? null : normalAddress(peer);
  let byProxy = peerAddress !== null && trusted(peerAddress);
  let forwardedHost = byProxy ? last(headers.get("X-Forwarded-Host")) : null;
  return {
    address: clientAddress(peer, headers.get("X-Forwarded-For"), trusted),
    untrustedHost: forwardedHost ?? hostOf(request),
    secure: byProxy && last(headers.get("X-Forwarded-Proto"))?.toLowerCase() === "https",
    byProxy,
  };
}

/** The nearest proxy appends; what stands left of it may be the sender's own. */
function last(list: string | null): string | null {
  return list?.split(",").at(-1)?.trim() || null;
}

// A request that never was on the wire has its host in the URL alone; one that came without Host has a relative URL.
function hostOf(request: Request): string | null {
  return request.headers.get("Host") ?? /^https?:\/\/([^/?#]*)/.exec(request.url)?.[1] ?? null;
}
