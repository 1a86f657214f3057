import type { AssetLinks, Permitted, Site } from "../../views/props.ts";
import type { WebContext } from "./env.ts";
import type { Links } from "./links.ts";

export type SiteFor = (context: WebContext) => Site;

/** What every page gets: addresses, and what to offer the one who asks. */
export function createSiteFor(links: Links, assets: AssetLinks): SiteFor {
  return (context) => ({ links, assets, may: permitted(context) });
}

/** Nothing, as long as nobody has found out who asks. */
function permitted(context: WebContext): Permitted {
  let scopes = (context.var.identity as WebContext["var"]["identity"] | undefined)?.scopes ?? [];
  let has = (scope: keyof Permitted) => scopes.includes(scope) || scopes.includes("admin");
  return { upload: has("upload"), view: has("view"), delete: has("delete") };
}
