import { isIP } from "node:net";

/** True for an address (IPv6 with or without brackets), or the name of one, that only this machine can reach. */
export function isLoopback(host: string): boolean {
  let name = host
    .toLowerCase()
    .replace(/\.$/, "")
    .replace(/^\[(.*)\]$/, "$1");
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (isIP(name) === 4) return name.startsWith("127.");
  if (isIP(name) !== 6 || name.includes("%")) return false;
  let canonical = new URL(`http://[${name}]`).hostname;
  return canonical === "[::1]" || /^\[::ffff:7f[0-9a-f]{2}:/.test(canonical);
}
