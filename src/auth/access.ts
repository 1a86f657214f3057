import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";

import { AppError } from "../errors.ts";
import { type Invitations, looksLikeInvitation } from "../state/invitations.ts";
import type { Scope } from "../state/scopes.ts";
import type { Tokens } from "../state/tokens.ts";
import { readAuthorization } from "./credentials.ts";
import { isCrossSite } from "./cross-site.ts";
import { type DatasetteActor, datasetteCookieName } from "./datasette.ts";
import type { NoteEvent } from "./events.ts";
import { type Client, readClient, type TrustedProxies } from "./forwarding.ts";
import type { HostCheck } from "./hosts.ts";
import { type Identity, invitationIdentity, isAllowed, tokenIdentity, userIdentity } from "./identity.ts";
import { identityByName, type NamedScopes, proxyUser } from "./named.ts";
import type { People } from "./people.ts";
import type { SessionCookie } from "./session-cookie.ts";

export type { Identity } from "./identity.ts";

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
  /** Further ways in; each absent one is closed. */
  people?: People;
  invitations?: Pick<Invitations, "verify">;
  datasette?: { read: (cookie: string) => DatasetteActor | null; actors: NamedScopes } | null;
  proxy?: { header: string; users: NamedScopes } | null;
  /** Hears of passwords that were wrong. */
  note?: NoteEvent;
}

export interface Access {
  /** What nobody in particular may do. */
  anonymousScopes: readonly Scope[];
  /** For every route: who is asking, for which host, and no other web site behind it. Sets `client`. */
  guard: MiddlewareHandler<AccessEnv>;
  /** For every route that knows people: sets `identity`; credentials that are no good are 401, never anonymous. */
  identify: MiddlewareHandler<AccessEnv>;
  /**
   * For one route or group, after `identify`: 401 for nobody in particular, 403 for somebody who may not.
   * @param unless a proof in the request itself that takes the place of the scope
   */
  requires(scope: Scope, unless?: (context: Context<AccessEnv>) => boolean): MiddlewareHandler<AccessEnv>;
  /** The same for what everybody may who has signed in here, whatever else they may. */
  requiresSession: MiddlewareHandler<AccessEnv>;
}

/** What a route can demand: a scope, or a session of ours. */
export type Demand = Scope | "session";

const demands = new WeakMap<object, Demand>();

/** What a middleware made by `requires` demands; null for any other: for a census of routes. */
export function demandOf(middleware: object): Demand | null {
  return demands.get(middleware) ?? null;
}

export function createAccess(options: AccessOptions): Access {
  let { tokens, checkHost, trustedProxies, cookie, basePath, publicUrl, anonymousScopes } = options;
  let { people, invitations, datasette = null, proxy = null, note = () => {} } = options;
  let howToSignIn = `Sign in at ${basePath}/sign-in. Programs send an access token as “Authorization: Bearer …”.`;
  let nobody: Identity = {
    kind: "anonymous",
    actor: null,
    scopes: anonymousScopes,
    folder: null,
    isCounted: false,
  };

  /** By the text of a token or invitation; null for one that is no good. */
  function bySecret(text: string): Identity | null {
    if (looksLikeInvitation(text)) {
      let invitation = invitations?.verify(text);
      return invitation ? invitationIdentity(invitation) : null;
    }
    let token = tokens.verify(text);
    return token && tokenIdentity("token", token);
  }

  // Basic is no exception: browsers send a remembered password along with other sites' requests. Bearer they never send
  // by themselves, and a page that sets it needs a CORS grant, which is never given; so a program or extension did.
  function hasGoodBearer(header: string | undefined): boolean {
    let credentials = readAuthorization(header);
    return credentials?.scheme === "bearer" && bySecret(credentials.untrustedToken ?? "") !== null;
  }

  async function byHeader(context: Context<AccessEnv>): Promise<Identity | null> {
    let credentials = readAuthorization(context.req.header("Authorization"));
    if (credentials === null) return null;
    let { untrustedToken: secret, untrustedName: name } = credentials;
    let identity = bySecret(secret ?? "");
    if (identity !== null) return identity;
    if (name && secret && people) {
      let user = await people.recognise(name, secret, context.var.client.address);
      if (user !== null) return userIdentity("password", user);
      note(context, people.failure(name));
    }
    throw new AppError(
      "authentication_required",
      credentials.scheme === "basic"
        ? "Name and password do not fit, or the access token is not known here or has ended."
        : "The access token is not known here, or it has expired or been revoked.",
    );
  }

  function byProxy(headers: Headers, client: Client): Identity | null {
    let name = proxy && proxyUser(proxy.header, headers, client);
    return name && proxy ? identityByName("proxy", { id: name, name }, proxy.users, anonymousScopes) : null;
  }

  function byDatasette(context: Context): Identity | null {
    let text = datasette && getCookie(context, datasetteCookieName);
    let actor = text && datasette ? datasette.read(text) : null;
    return actor && datasette ? identityByName("datasette", actor, datasette.actors, anonymousScopes) : null;
  }

  /** By our own cookie; `renewed` holds a secret whose cookie has to be given again. */
  function byCookie(context: Context): { identity: Identity; renewed: string | null } | null {
    let secret = cookie.read(context);
    if (secret === null) return null;
    if (looksLikeInvitation(secret)) {
      let identity = bySecret(secret);
      return identity && { identity, renewed: null };
    }
    let session = tokens.sessions.verify(secret);
    if (session === null) return null;
    let identity =
      session.type === "token"
        ? tokenIdentity("session", session.identity)
        : userIdentity("session", session.identity);
    return { identity, renewed: session.renewed ? secret : null };
  }

  function refuse(context: Context<AccessEnv>, what: string): AppError {
    let { identity } = context.var;
    if (identity.actor !== null)
      return new AppError("permission_denied", `${whoOf(identity)} may not ${what}.`);
    let cameInvited = looksLikeInvitation(cookie.read(context) ?? "");
    return new AppError(
      "authentication_required",
      cameInvited
        ? "Your invitation has ended. Ask the person who sent it for a new one, or sign in."
        : howToSignIn,
    );
  }

  function demanding(demand: Demand, handler: MiddlewareHandler<AccessEnv>): MiddlewareHandler<AccessEnv> {
    let middleware = createMiddleware<AccessEnv>(handler);
    demands.set(middleware, demand);
    return middleware;
  }

  return {
    anonymousScopes,
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
      let { client } = context.var;
      let { headers } = context.req.raw;
      // What was sent for this request counts before what a browser sends by itself, and who is known to the proxy now
      // before what a cookie remembers.
      let vouched = byProxy(headers, client);
      let identity = (await byHeader(context)) ?? vouched;
      let session = identity === null ? byCookie(context) : null;
      context.set("identity", identity ?? session?.identity ?? byDatasette(context) ?? nobody);
      await next();
      // Signing in or out has just changed the cookie: the old secret must not come after it.
      if (session === null || session.renewed === null || context.res.headers.has("Set-Cookie")) return;
      cookie.give(context, session.renewed, client.secure);
    }),

    requires: (scope, unless = () => false) =>
      demanding(scope, async (context, next) => {
        if (!isAllowed(context.var.identity, scope) && !unless(context)) throw refuse(context, verbs[scope]);
        await next();
      }),

    requiresSession: demanding("session", async (context, next) => {
      if (context.var.identity.kind !== "session")
        throw refuse(context, "do what needs a sign-in on this page");
      await next();
    }),
  };
}

const verbs: Record<Scope, string> = {
  upload: "upload files",
  view: "see files",
  delete: "delete files",
  admin: "do what needs the scope admin",
};

/** The one who is refused, at the beginning of a sentence. */
function whoOf({ actor }: Identity): string {
  if (actor?.type === "invitation") return "Whoever comes by an invitation";
  return actor?.type === "token" ? `The token “${actor.name}”` : `“${actor?.name}”`;
}
