import { createMiddleware } from "hono/factory";

import { actorText, type Identity } from "../auth/identity.ts";
import type { Clock } from "../clock.ts";
import type { WebEnv } from "./env.ts";

const readingMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * One line a request, without its query, which may hold what somebody searched for or a sign-in token: at `info` when it
 * may change something, at `debug` when it only reads. Sizes are the declared ones, null when none was.
 */
export function accessLog(clock: Clock) {
  return createMiddleware<WebEnv>(async (context, next) => {
    let startMs = clock.nowMs();
    await next();
    let facts = {
      method: context.req.method,
      path: context.req.path,
      status: context.res.status,
      ms: clock.nowMs() - startMs,
      bytes_in: declaredBytes(context.req.raw.headers),
      bytes_out: declaredBytes(context.res.headers),
      actor: actorOf(context.var.identity),
    };
    let level = readingMethods.has(context.req.method) ? ("debug" as const) : ("info" as const);
    context.var.log[level](facts, "request");
  });
}

/** Undefined, and so not told, where nobody asked who it was. */
function actorOf(identity: Identity | undefined): string | undefined {
  return identity && actorText(identity);
}

function declaredBytes(headers: Headers): number | null {
  let value = headers.get("Content-Length");
  return value === null ? null : Number(value);
}
