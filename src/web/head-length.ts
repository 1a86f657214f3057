import { createMiddleware } from "hono/factory";

import type { WebEnv } from "./env.ts";

/** Bun says of a HEAD without a length that the body is empty. Says how long that of a GET is: all bodies here are whole texts. */
export const headLength = createMiddleware<WebEnv>(async (context, next) => {
  await next();
  let { req, res } = context;
  if (req.method !== "HEAD" || res.body === null || res.headers.has("Content-Length")) return;
  let { byteLength } = await res.clone().arrayBuffer();
  res.headers.set("Content-Length", String(byteLength));
});
