import { isIP } from "node:net";

import { type Scope, SCOPES } from "../state/scopes.ts";
import type { Tokens } from "../state/tokens.ts";
import type { Users } from "../state/users.ts";
import { trimEndOf } from "../trim-end.ts";
import { isUnspecified } from "./ip.ts";

/** What can be allowed to nobody in particular; never `admin`. */
export type AnonymousScope = Exclude<Scope, "admin">;

export interface EnsureAccessOptions {
  tokens: Pick<Tokens, "create" | "count">;
  users?: Pick<Users, "count">;
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

/**
 * What the operator is told at start. `base` is the address that others most likely reach the server by. `link` holds a
 * secret: it is printed once and never logged.
 */
export type EnsuredAccess = { base: string } & (
  | { kind: "open" }
  | { kind: "created"; link: string; sentence: string }
  | { kind: "present"; sentence: string }
);

export const firstTokenName = "first link";
const everyAnonymousScope: readonly AnonymousScope[] = ["upload", "view", "delete"];

/**
 * Makes sure that somebody can get in: where nobody in particular may not do everything and there is no token that is
 * good and no user, makes one and gives the link that signs its opener in.
 */
export function ensureAccess(options: EnsureAccessOptions): EnsuredAccess {
  let { tokens, users, allowAnonymous, basePath } = options;
  let base = publicBase(options);
  if (everyAnonymousScope.every((scope) => allowAnonymous.includes(scope))) return { base, kind: "open" };
  if (tokens.count() > 0 || (users?.count() ?? 0) > 0) {
    return {
      base,
      kind: "present",
      sentence: `Sign in at ${base}${basePath}/sign-in; “s3-uploads user add NAME” makes a new user, “s3-uploads token create” a new token.`,
    };
  }
  let { token } = tokens.create({ name: firstTokenName, scopes: SCOPES, linkOnce: true });
  return {
    base,
    kind: "created",
    link: `${base}${basePath}/sign-in?token=${token}`,
    sentence:
      "Open this link to sign in as the admin; it works once. The token in it goes on: send it as “Authorization: Bearer …”.",
  };
}

/** The address that others most likely reach the server by, without a slash at its end. */
export function publicBase(
  options: Pick<EnsureAccessOptions, "publicUrl" | "host" | "port" | "addresses" | "hostname">,
): string {
  let { publicUrl, host, port, addresses, hostname } = options;
  if (publicUrl !== null) return trimEndOf(publicUrl, "/");
  let outer = addresses.find(({ address, internal }) => !internal && isIP(address) === 4)?.address;
  let name = isUnspecified(host) ? (outer ?? hostname) : host;
  return `http://${isIP(name) === 6 ? `[${name}]` : name}:${port}`;
}
