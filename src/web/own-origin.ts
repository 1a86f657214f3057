import type { WebContext } from "./env.ts";

/** The address that this request came to, for links that are passed on: `https://files.example.org`. */
export function ownOrigin(context: WebContext): string {
  let { secure, untrustedHost } = context.var.client;
  // The guard has believed it.
  return `${secure ? "https" : "http"}://${untrustedHost ?? "localhost"}`;
}
