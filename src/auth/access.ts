import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";

import { AppError } from "../errors.ts";
import type { Scope, TokenIdentity, Tokens } from "../state/tokens.ts";
import { readAuthorization } from "./credentials.ts";
import { isCrossSite } from "./cross-site.ts";
import { type Client, readClient, type TrustedProxies } from "./forwarding.ts";
import type { HostCheck } from "./hosts.ts";
import type { SessionCookie } from "./session-cookie.ts";

/** Who asks. */
export interface Identity {
  /** `anonymous`: nobody in particular. */
  kind: "anonymous" | "token" | "session";
  /** Name and id of the token behind it. */
  token: Pick<TokenIdentity, "id" | "name"> | null;
  scopes: readonly Scope[];
}

export interface AccessEnv {
  /** Bun's server in production; absent under `app.request()`. */
  Bindings: Partial<{ requestIP(request: Request): { address: string } | null }>;
  Variables: { client: Client; identity: Identity; requestId?: string };
}

export interface AccessOptions {
  tokens: Tokens;
  checkHost: HostCheck;
  trustedProxies: TrustedProxies;
  cookie: SessionCookie;
  basePath: string;
  publicUrl: string | null;
  /** What nobody in particular may do. */
  anonymousScopes: readonly Scope[];
}

export interface Access {
  /** For every route: who is asking, for which host, and no other web site behind it. Sets `client`. */
  guard: MiddlewareHandler<AccessEnv>;
  /** For every route that knows people: sets `identity`; credentials that are no good are 401, never anonymous. */
  identify: MiddlewareHandler<AccessEnv>;
  /** For one route or group, after `identify`: 401 for nobody in particular, 403 for somebody who may not. */
  requires(scope: Scope): MiddlewareHandler<AccessEnv>;
}

const demands = new WeakMap<object, Scope>();

/** The scope that a middleware made by `requires` demands; null for any other: for a census of routes. */
export function demandOf(middleware: object): Scope | null {
  return demands.get(middleware) ?? null;
}

export function createAccess(options: AccessOptions): Access {
  let { tokens, checkHost, trustedProxies, cookie, basePath, publicUrl, anonymousScopes } = options;
  let howToSignIn = `Open your sign-in link, or paste an access token at ${basePath}/sign-in. Programs send the token as “Authorization: Bearer …”.`;

  // Basic is no exception: browsers send a remembered password along with other sites' requests. Bearer they never send
  // by themselves, and a page that sets it needs a CORS grant, which is never given; so a program or extension did.
  function hasGoodBearer(header: string | undefined): boolean {
    let credentials = readAuthorization(header);
    return credentials?.scheme === "bearer" && tokens.verify(credentials.untrustedToken ?? "") !== null;
  }

  function byHeader(header: string | undefined): Identity | null {
    let credentials = readAuthorization(header);
    if (credentials === null) return null;
    let found = tokens.verify(credentials.untrustedToken ?? "");
    if (found === null) {
      throw new AppError(
        "authentication_required",
        "The access token is not known here, or it has expired or been revoked.",
      );
    }
    return identityOf("token", found);
  }

  return {
    guard: createMiddleware<AccessEnv>(async (context, next) => {
      let request = context.req.raw;
      let peer = context.env?.requestIP?.(request)?.address ?? null;
      let client = readClient(request, peer, trustedProxies);
      context.set("client", client);
      let host = checkHost(client.untrustedHost);
      let origin = { method: request.method, headers: request.headers, host, publicUrl };
      if (isCrossSite(origin) && !hasGoodBearer(context.req.header("Authorization"))) {
        throw new AppError("cross_site_request");
      }
      await next();
      // Not "Basic": browsers would ask for a password in a window of their own.
      if (context.res.status === 401)
        context.res.headers.set("WWW-Authenticate", 'Bearer realm="s3-uploads"');
    }),

    identify: createMiddleware<AccessEnv>(async (context, next) => {
      let identity = byHeader(context.req.header("Authorization"));
      let secret = identity === null ? cookie.read(context) : null;
      let session = secret === null ? null : tokens.sessions.verify(secret);
      if (secret !== null && session !== null) identity = identityOf("session", session.identity);
      context.set("identity", identity ?? { kind: "anonymous", token: null, scopes: anonymousScopes });
      await next();
      // Signing in or out has just changed the cookie: the old secret must not come after it.
      if (secret === null || !session?.renewed || context.res.headers.has("Set-Cookie")) return;
      cookie.give(context, secret, context.var.client.secure);
    }),

    requires(scope) {
      let middleware = createMiddleware<AccessEnv>(async (context, next) => {
        let { kind, token, scopes } = context.var.identity;
        if (!scopes.includes(scope) && !scopes.includes("admin")) {
          if (kind === "anonymous") throw new AppError("authentication_required", howToSignIn);
          throw new AppError("permission_denied", `The token “${token?.name}” may not ${verbs[scope]}.`);
        }
        await next();
      });
      demands.set(middleware, scope);
      return middleware;
    },
  };
}

const verbs: Record<Scope, string> = {
  upload: "upload files",
  view: "see files",
  delete: "delete files",
  admin: "do what needs the scope admin",
};

function identityOf(kind: "token" | "session", { id, name, scopes }: TokenIdentity): Identity {
  return { kind, token: { id, name }, scopes };
}
