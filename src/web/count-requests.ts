import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";

import type { Clock } from "../clock.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { WebContext, WebEnv } from "./env.ts";

/** Counts every request by the pattern of its route, and times it until its answer begins. */
export function countRequests(metrics: Pick<Metrics, "beginRequest">, clock: Clock) {
  return createMiddleware<WebEnv>(async (context, next) => {
    let startMs = clock.nowMs();
    let end = metrics.beginRequest();
    await next();
    end({
      method: context.req.method,
      route: routeOf(context),
      status: context.res.status,
      ms: clock.nowMs() - startMs,
    });
  });
}

/** `/-/s3-uploads/files/:id`; empty for what is no route. */
function routeOf(context: WebContext): string {
  let last = matchedRoutes(context).findLast(({ method }) => method !== "ALL");
  return last ? last.path.replaceAll(/\{[^{}]*\}/g, "") : "";
}
