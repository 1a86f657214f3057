import { Hono } from "hono";

import type { Access } from "../auth/access.ts";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { WebEnv } from "./env.ts";

interface MetricsDeps {
  requires: Access["requires"];
  metrics: Pick<Metrics, "text" | "contentType">;
}

/** For Prometheus. How much comes in is nothing for those who may only send, or see only what is their own. */
export function metricsRoutes({ requires, metrics }: MetricsDeps) {
  let routes = new Hono<WebEnv>();
  routes.get("/metrics", requires("view"), async (context) => {
    if (context.var.identity.folder !== null) throw new AppError("permission_denied");
    return context.body(await metrics.text(), 200, { "Content-Type": metrics.contentType });
  });
  return routes;
}
