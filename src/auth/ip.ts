import { isIP } from "node:net";

/**
 * An address in the form that is compared: lower case, no brackets, no zone, IPv4 for IPv4-mapped IPv6; null when it is
 * none.
 */
export function normalAddress(text: string): string | null {
  let bare = text.trim().toLowerCase();
  if (bare.startsWith("[") && bare.endsWith("]")) bare = bare.slice(1, -1);
  bare = bare.split("%", 1)[0] ?? "";
  let version = isIP(bare);
  if (version === 0) return null;
  if (version === 4) return bare;
  let compressed = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  let mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compressed);
  if (mapped === null) return compressed;
  let bits = Number.parseInt(mapped[1] ?? "", 16) * 65_536 + Number.parseInt(mapped[2] ?? "", 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".");
}

/** True for a listening address that stands for every address of the machine. */
export function isUnspecified(host: string): boolean {
  let address = normalAddress(host);
  return host === "" || address === "0.0.0.0" || address === "::";
}

/** What one sender holds: an IPv4 address, or the /64 network that an IPv6 sender can choose addresses from. */
export function senderOf(address: string): string {
  if (isIP(address) !== 6) return address;
  let [left = "", right] = address.split("::");
  let groups = left === "" ? [] : left.split(":");
  if (right !== undefined) {
    let tail = right === "" ? [] : right.split(":");
    groups = [...groups, ...Array<string>(8 - groups.length - tail.length).fill("0"), ...tail];
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}
