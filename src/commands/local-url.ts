import { isUnspecified, normalAddress } from "../auth/ip.ts";
import type { Config } from "../config/config.ts";

/** Where the page of a server that runs with this configuration is reached from this machine; no slash at its end. */
export function localUrl({ host, port, base_path }: Pick<Config, "host" | "port" | "base_path">): string {
  return `http://${addressOf(host)}:${port}${base_path}`;
}

function addressOf(host: string): string {
  let address = normalAddress(host) ?? host;
  if (isUnspecified(host)) return address === "::" ? "[::1]" : "127.0.0.1";
  return address.includes(":") ? `[${address}]` : address;
}
