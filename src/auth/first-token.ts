import { isIP } from "node:net";

import type { Scope, Tokens } from "../state/tokens.ts";
import { trimEndOf } from "../trim-end.ts";
import { isUnspecified } from "./ip.ts";

/** What can be allowed to nobody in particular; never `admin`. */
export type AnonymousScope = Exclude<Scope, "admin">;

export interface EnsureAccessOptions {
  tokens: Pick<Tokens, "create" | "count">;
  /** What nobody in particular may do, default included. */
  allowAnonymous: readonly AnonymousScope[];
  publicUrl: string | null;
  /** The listening address and port. */
  host: string;
  port: number;
  basePath: string;
  /** Of all network interfaces: `Object.values(networkInterfaces()).flat()`. */
  addresses: readonly NetworkAddress[];
  /** This machine's own name. */
  hostname: string;
}

export interface NetworkAddress {
  address: string;
  internal: boolean;
}

/** What the operator is told at start. `link` holds a secret: it is printed once and never logged. */
export type EnsuredAccess =
  | { kind: "open" }
  | { kind: "created"; link: string; sentence: string }
  | { kind: "present"; sentence: string };

export const firstTokenName = "first link";
const everyAnonymousScope: readonly AnonymousScope[] = ["upload", "view", "delete"];

/**
 * Makes sure that somebody can get in: where nobody in particular may not do everything and there is no token that is
 * good, makes one and gives the link that signs its opener in.
 */
export function ensureAccess(options: EnsureAccessOptions): EnsuredAccess {
  let { tokens, allowAnonymous, basePath } = options;
  if (everyAnonymousScope.every((scope) => allowAnonymous.includes(scope))) return { kind: "open" };
  if (tokens.count() > 0) {
    return {
      kind: "present",
      sentence: `Sign in with an access token at ${publicBase(options)}${basePath}/sign-in; “s3-uploads token create --scope upload,view,delete” makes a new one.`,
    };
  }
  let { token } = tokens.create({ name: firstTokenName, scopes: everyAnonymousScope });
  return {
    kind: "created",
    link: `${publicBase(options)}${basePath}/sign-in?token=${token}`,
    sentence:
      "Open this link to sign in; it is shown this once, and whoever has it may upload, see and delete.",
  };
}

/** The address that others most likely reach the server by, without a slash at its end. */
function publicBase({ publicUrl, host, port, addresses, hostname }: EnsureAccessOptions): string {
  if (publicUrl !== null) return trimEndOf(publicUrl, "/");
  let outer = addresses.find(({ address, internal }) => !internal && isIP(address) === 4)?.address;
  let name = isUnspecified(host) ? (outer ?? hostname) : host;
  return `http://${isIP(name) === 6 ? `[${name}]` : name}:${port}`;
}
