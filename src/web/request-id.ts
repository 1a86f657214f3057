import { createMiddleware } from "hono/factory";

import type { Log } from "../log.ts";
import type { WebEnv } from "./env.ts";

/** A proxy's id is kept when it can do no harm in a header or a log line. */
const acceptableRequestId = /^[A-Za-z0-9._-]{1,64}$/;

/** Gives every request an id, a log that carries it, and the `X-Request-Id` header. */
export function requestId(log: Log) {
  return createMiddleware<WebEnv>(async (context, next) => {
    let given = context.req.header("X-Request-Id") ?? "";
    let id = acceptableRequestId.test(given) ? given : Bun.randomUUIDv7();
    context.set("requestId", id);
    context.set("log", log.child({ request_id: id }));
    await next();
    context.res.headers.set("X-Request-Id", id);
  });
}
