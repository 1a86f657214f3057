import { Hono } from "hono";

import type { AppError } from "../errors.ts";
import type { WebEnv } from "./env.ts";
import type { ErrorResponder } from "./error-response.ts";
import { json } from "./json.ts";

interface HealthDeps {
  readiness: () => Promise<AppError | null>;
  errorResponse: ErrorResponder;
}

/** For supervisors and load balancers; open to everybody, so they tell nothing but yes or no. */
export function healthRoutes({ readiness, errorResponse }: HealthDeps) {
  let routes = new Hono<WebEnv>();
  routes.get("/healthz", (context) => json(context, { success: true, status: "ok" }));
  routes.get("/readyz", async (context) => {
    let error = await readiness();
    if (error === null) return json(context, { success: true, status: "ready" });
    // Somebody asks every few seconds; the log has the fault from where it was found.
    return errorResponse(context, error, { logged: true });
  });
  return routes;
}
