import type { ContentfulStatusCode } from "hono/utils/http-status";

import type { WebContext } from "./env.ts";

/** A JSON answer that ends in a newline, so that a terminal's prompt stays on its own line. */
export function json(
  context: WebContext,
  body: object,
  status: ContentfulStatusCode = 200,
  headers: Record<string, string> = {},
): Response {
  let text = `${JSON.stringify(body)}\n`;
  return context.body(text, status, {
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(text)),
    ...headers,
  });
}
