import { AppError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
import { isUnspecified, normalAddress } from "./ip.ts";

export interface HostCheckOptions {
  /** The listening address. */
  host: string;
  publicUrl: string | null;
  /** This machine's own name. */
  hostname: string;
}

/** Gives back a Host header that is believed, in lower case; throws AppError `untrusted_host` for any other, `bad_request` for none. */
export type HostCheck = (untrustedHost: string | null) => string;

const maxHostCharacters = 300;
const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/;

/**
 * Keeps other web pages from driving this server through a name of theirs that they let resolve to its address (DNS
 * rebinding). That needs a name, so plain addresses are believed; names are believed when they are ours: localhost, the
 * listening address, this machine's name, and that of `public_url`. Ports are not looked at: they may be mapped, and
 * rebinding gains nothing by them.
 */
export function createHostCheck({ host, publicUrl, hostname }: HostCheckOptions): HostCheck {
  let machine = hostname.toLowerCase();
  let label = machine.split(".")[0] ?? "";
  let believed = new Set([machine, label, `${label}.local`, host.toLowerCase()]);
  if (label === "") believed.delete(".local");
  if (isUnspecified(host)) believed.delete(host.toLowerCase());
  if (publicUrl !== null) believed.add(nameOf(new URL(publicUrl).hostname));
  believed.delete("");

  return (untrustedHost) => {
    let text = untrustedHost?.trim().toLowerCase() ?? "";
    if (text === "") throw new AppError("bad_request", "The request has no Host header.");
    let written = text.length <= maxHostCharacters ? hostPattern.exec(text)?.[1] : undefined;
    if (written === undefined) {
      throw new AppError("untrusted_host", "The request has no usable Host header.");
    }
    let name = nameOf(written);
    if (isLoopback(name) || believed.has(name) || isAddress(written)) return text;
    throw new AppError(
      "untrusted_host",
      `This server does not answer to the name “${name}”. If that is its address, set public_url to it.`,
    );
  };
}

function nameOf(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, "");
}

// Short forms such as 127.1 are addresses as well: the URL parser, which browsers share, never takes them for a name.
function isAddress(written: string): boolean {
  let url = URL.canParse(`http://${written}`) ? new URL(`http://${written}`) : null;
  return url !== null && normalAddress(url.hostname) !== null;
}
