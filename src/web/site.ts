import type { AssetLinks, Permitted, Site } from "../../views/props.ts";
import type { Identity } from "../auth/access.ts";
import type { WebContext } from "./env.ts";
import type { Links } from "./links.ts";

export type SiteFor = (context: WebContext) => Site;

/** What every page gets: addresses, and what to offer the one who asks. */
export function createSiteFor(links: Links, assets: AssetLinks): SiteFor {
  return (context) => {
    let identity = identityOf(context);
    let has = (scope: keyof Permitted) =>
      identity !== undefined && (identity.scopes.includes(scope) || identity.scopes.includes("admin"));
    return {
      links,
      assets,
      may: { upload: has("upload"), view: has("view"), delete: has("delete"), admin: has("admin") },
      isSignedIn: identity?.kind === "session",
    };
  };
}

/** Undefined as long as nobody has found out who asks; such a page offers nothing. */
function identityOf(context: WebContext): Identity | undefined {
  return context.var.identity;
}
