import { createMiddleware } from "hono/factory";

import type { WebEnv } from "./env.ts";

/**
 * Headers on every answer; a handler's own value stands (downloads bring a stricter policy).
 * @param storageOrigins where presigned URLs lead: pictures on our pages follow the redirect, and the policy is asked again there.
 */
export function securityHeaders(storageOrigins: readonly string[]) {
  let media = ["'self'", ...storageOrigins].join(" ");
  let headers = {
    "Content-Security-Policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      `img-src ${media}`,
      `media-src ${media}`,
      "connect-src 'self'",
      "frame-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    // The address of a file's page is nobody else's business, least of all the map's that it links to.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    // Names and pages depend on who asks; assets and downloads say otherwise themselves.
    "Cache-Control": "no-store",
  };
  return createMiddleware<WebEnv>(async (context, next) => {
    await next();
    for (let [name, value] of Object.entries(headers)) {
      if (!context.res.headers.has(name)) context.res.headers.set(name, value);
    }
  });
}
