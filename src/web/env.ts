import type { Context } from "hono";

import type { AccessEnv } from "../auth/access.ts";
import type { Log } from "../log.ts";

/** What the HTTP layer passes along with a request. */
export interface WebEnv {
  /** Bun's server in production; absent under `app.request()`. */
  Bindings: AccessEnv["Bindings"] & Partial<ConnectionTimer>;
  Variables: AccessEnv["Variables"] & {
    requestId: string;
    /** Carries the request id. */
    log: Log;
    /** Where transfers are counted: says that the answer goes on after its handler; call the result at its end. */
    endTransfer?: () => () => void;
  };
}

export type WebContext = Context<WebEnv>;

interface ConnectionTimer {
  /** Seconds without traffic after which Bun cuts the connection of this request; 0 for never. */
  timeout(request: Request, seconds: number): void;
}

/** The server's own `idleTimeout`: it covers senders that trickle headers, so it stays small. */
export const idleTimeoutSeconds = 10;

/**
 * Runs the handler without Bun's idle timer, which would cut a sender because storage is slow, and a slow but moving
 * one as well. Afterwards the timer is back: what Bun still drains of a refused body comes under it again.
 */
export async function withoutIdleTimeout<Answer>(
  context: WebContext,
  handle: () => Promise<Answer>,
): Promise<Answer> {
  setIdleTimeout(context, 0);
  try {
    return await handle();
  } finally {
    setIdleTimeout(context, idleTimeoutSeconds);
  }
}

/** @param seconds 0 for never. */
export function setIdleTimeout(context: WebContext, seconds: number): void {
  context.env?.timeout?.(context.req.raw, seconds);
}
