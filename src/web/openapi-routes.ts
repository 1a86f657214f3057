import { Hono } from "hono";

import type { Access } from "../auth/access.ts";
import type { JsonObject } from "../domain.ts";
import type { WebOptions } from "./deps.ts";
import type { WebEnv } from "./env.ts";
import { json } from "./json.ts";
import { describeServer } from "./openapi/document.ts";

interface OpenApiDeps {
  /** The routes of the app that this one stands in, once all of them are there. */
  routesOf: () => Hono<WebEnv>["routes"];
  anonymousScopes: Access["anonymousScopes"];
  options: WebOptions;
}

/** What programs can do here. Open to everybody: it names no file, nobody and no setting but the address and what is open. */
export function openApiRoutes({ routesOf, anonymousScopes, options }: OpenApiDeps) {
  let routes = new Hono<WebEnv>();
  let document: JsonObject | null = null;
  routes.get("/openapi.json", (context) => {
    document ??= describeServer({ options, routes: routesOf(), anonymousScopes });
    return json(context, document);
  });
  return routes;
}
