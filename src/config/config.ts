import { isLoopback } from "../loopback.ts";
import { ANONYMOUS_RIGHTS, type AnonymousRight, type Settings } from "./keys.ts";

type Derived = "s3_force_path_style" | "allow_anonymous" | "download";

/**
 * The configuration as the rest of the program gets it: frozen, every key settled. Null means "none". `base_path` is
 * empty or begins with a slash, `s3_prefix` is empty or ends with one, `public_url` is an origin.
 */
export type Config = Readonly<
  Omit<Settings, Derived> & {
    s3_force_path_style: boolean;
    allow_anonymous: readonly AnonymousRight[];
    download: "redirect" | "proxy";
  }
>;

/** Fills in what follows from other keys. */
export function settle(settings: Settings): Config {
  return {
    ...settings,
    s3_force_path_style: settings.s3_force_path_style ?? settings.s3_endpoint_url !== null,
    allow_anonymous: settings.allow_anonymous ?? (reachedOnlyFromHere(settings) ? ANONYMOUS_RIGHTS : []),
    download: settings.download === "auto" ? defaultDownload(settings) : settings.download,
    public_url: settings.public_url === null ? null : new URL(settings.public_url).origin,
  };
}

/** False as well where a proxy on this machine, told by `public_url` or `trusted_proxies`, lets others in. */
export function reachedOnlyFromHere({
  host,
  public_url: publicUrl,
  trusted_proxies: proxies,
}: Pick<Settings, "host" | "public_url" | "trusted_proxies">): boolean {
  let published = publicUrl !== null && !isLoopback(new URL(publicUrl).hostname);
  return isLoopback(host) && !published && proxies.length === 0;
}

/** Browsers can be sent to the bucket only where they are likely to reach it. */
function defaultDownload({
  s3_bucket,
  s3_endpoint_url,
  s3_public_endpoint_url,
}: Settings): "redirect" | "proxy" {
  if (s3_bucket === null) return "proxy";
  let reachable = s3_public_endpoint_url !== null || s3_endpoint_url === null || isAws(s3_endpoint_url);
  return reachable ? "redirect" : "proxy";
}

function isAws(url: string): boolean {
  return /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(new URL(url).hostname);
}
