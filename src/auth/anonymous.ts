import type { Scope } from "../state/tokens.ts";
import { isLoopback } from "./ip.ts";

/** What can be allowed to nobody in particular; never `admin`. */
export type AnonymousScope = Exclude<Scope, "admin">;

export const everyAnonymousScope: readonly AnonymousScope[] = ["upload", "view", "delete"];

export interface AnonymousOptions {
  /** `allow_anonymous` as configured; null when it is not. */
  allowAnonymous: readonly AnonymousScope[] | null;
  /** The listening address. */
  host: string;
  publicUrl: string | null;
  trustedProxies: readonly string[];
}

/**
 * What nobody in particular may do: as configured, else everything on loopback and nothing elsewhere. A server on
 * loopback that says it is reached by a public address or through a proxy is not for this machine alone.
 */
export function anonymousScopes(options: AnonymousOptions): readonly AnonymousScope[] {
  if (options.allowAnonymous !== null) return options.allowAnonymous;
  let { host, publicUrl, trustedProxies } = options;
  let isPrivate =
    isLoopback(host) &&
    (publicUrl === null || isLoopback(new URL(publicUrl).hostname)) &&
    trustedProxies.length === 0;
  return isPrivate ? everyAnonymousScope : [];
}
