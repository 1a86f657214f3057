import { createMiddleware } from "hono/factory";

import { senderOf } from "../auth/ip.ts";
import { toAppError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
import type { ClientLimits } from "./client-limits.ts";
import type { WebContext, WebEnv } from "./env.ts";
import type { ErrorResponder } from "./error-response.ts";

/**
 * The limits of one client, as middleware. Whoever is known by a token or an account is counted by that, wherever they
 * are; the others by their address, an IPv6 network as one.
 */
export function limitClients(limits: ClientLimits, errorResponse: ErrorResponder) {
  return {
    /** For what nobody has to be known for. */
    byAddress: createMiddleware<WebEnv>(async (context, next) => {
      limits.countRequest(addressOf(context), isLocal(context));
      await next();
    }),

    /** Before it is known who asks: credentials that are no good count for their address. */
    failures: createMiddleware<WebEnv>(async (context, next) => {
      await next();
      let isKnown = (context.var as { identity?: unknown }).identity !== undefined;
      if (isKnown || context.res.status !== 401) return;
      try {
        limits.countRequest(addressOf(context), isLocal(context));
      } catch (error) {
        context.res = await errorResponse(context, toAppError(error));
      }
    }),

    /** Once it is known who asks. */
    requests: createMiddleware<WebEnv>(async (context, next) => {
      limits.countRequest(clientOf(context), isLocal(context));
      await next();
    }),

    /** For what takes long: an upload lasts until it is answered, a download until its last byte is gone. */
    transfers: createMiddleware<WebEnv>(async (context, next) => {
      let end = limits.beginTransfer(clientOf(context), isLocal(context));
      let isStreaming = false;
      context.set("endTransfer", () => {
        isStreaming = true;
        // A client that goes away before the first byte never cancels the stream.
        context.req.raw.signal.addEventListener("abort", end, { once: true });
        return end;
      });
      try {
        await next();
      } finally {
        if (!isStreaming) end();
      }
    }),
  };
}

function clientOf(context: WebContext): string {
  let { actor } = context.var.identity;
  return actor === null ? addressOf(context) : `${actor.type} ${actor.id}`;
}

function addressOf(context: WebContext): string {
  return `address ${senderOf(context.var.client.address ?? "")}`;
}

/** A script on this machine, or a proxy that `trusted_proxies` does not name: then nobody can be told apart. */
function isLocal(context: WebContext): boolean {
  let { address } = context.var.client;
  return address === null || isLoopback(address);
}
