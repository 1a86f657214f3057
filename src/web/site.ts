import type { AssetLinks, Permitted, Site } from "../../views/props.ts";
import { type Identity, isAllowed } from "../auth/identity.ts";
import type { WebContext } from "./env.ts";
import type { Links } from "./links.ts";

export type SiteFor = (context: WebContext) => Site;

/**
 * What every page gets: addresses, and what to offer the one who asks.
 * @param hasAccounts whether there is anybody who could sign in
 */
export function createSiteFor(links: Links, assets: AssetLinks, hasAccounts: () => boolean): SiteFor {
  return (context) => {
    let identity = identityOf(context);
    let has = (scope: keyof Permitted) => identity !== undefined && isAllowed(identity, scope);
    let mayAll = has("upload") && has("view") && has("delete");
    return {
      links,
      assets,
      may: { upload: has("upload"), view: has("view"), delete: has("delete"), admin: has("admin") },
      isSignedIn: identity?.kind === "session",
      isInvited: identity?.kind === "invitation",
      offersSignIn: identity?.kind === "anonymous" && (!mayAll || hasAccounts()),
    };
  };
}

/** Undefined as long as nobody has found out who asks; such a page offers nothing. */
function identityOf(context: WebContext): Identity | undefined {
  return context.var.identity;
}
