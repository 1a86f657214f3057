/** @jsxImportSource hono/jsx */
import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";

import { SignInForm } from "../../views/fragments/sign-in-form.tsx";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { type AuditEvent, type AuditLog, noAudit } from "../state/audit.ts";
import type { TokenIdentity, Tokens } from "../state/tokens.ts";
import { KIB } from "../units.ts";
import type { AccessEnv } from "./access.ts";
import { actorText } from "./actor.ts";
import { createAttempts } from "./attempts.ts";
import type { SessionCookie } from "./session-cookie.ts";

export interface SignInOptions {
  tokens: Tokens;
  cookie: SessionCookie;
  clock: Clock;
  basePath: string;
  audit?: AuditLog;
}

const maxFormBytes = 4 * KIB;

/**
 * `GET /sign-in?token=…` (the link), `GET /sign-in` (a form), `POST /sign-in` and `POST /sign-out`, to be mounted at the
 * base path behind the guard. The link is a GET that changes something: another site could at most sign a browser in
 * with a token that it already has.
 */
export function createSignIn({
  tokens,
  cookie,
  clock,
  basePath,
  audit = noAudit,
}: SignInOptions): Hono<AccessEnv> {
  let attempts = createAttempts(clock);
  let app = new Hono<AccessEnv>();

  function tell(
    event: AuditEvent,
    { var: { client, requestId } }: Context<AccessEnv>,
    token: TokenIdentity | null,
  ): void {
    let actor = token && actorText({ kind: "session", token, scopes: [] });
    audit.write(event, { actor, address: client.address, requestId: requestId ?? null });
  }

  async function signIn(context: Context<AccessEnv>, untrustedToken: string): Promise<Response> {
    let { address, secure } = context.var.client;
    attempts.admit(address);
    let identity = tokens.verify(untrustedToken.trim());
    if (identity === null) {
      attempts.failed(address);
      tell("sign_in_failed", context, null);
      return refuse(context);
    }
    let before = cookie.read(context);
    if (before !== null) tokens.sessions.remove(before);
    cookie.give(context, tokens.sessions.create(identity.id), secure);
    tell("sign_in", context, identity);
    return context.redirect(basePath || "/", 303);
  }

  function refuse(context: Context<AccessEnv>): Response | Promise<Response> {
    let sentence = "That token is not known here, or it has expired or been revoked.";
    let wantsPage = context.req.header("Accept")?.includes("text/html") ?? false;
    if (!wantsPage) throw new AppError("authentication_required", sentence);
    return showForm(context, sentence);
  }

  function showForm(context: Context<AccessEnv>, problem: string | null): Response | Promise<Response> {
    context.status(problem === null ? 200 : 401);
    return context.render(<SignInForm action={`${basePath}/sign-in`} problem={problem} />, {
      title: "Sign in",
    });
  }

  app.use("/sign-in", keepSecret);
  app.get("/sign-in", async (context) => {
    let token = context.req.query("token");
    return token === undefined ? showForm(context, null) : await signIn(context, token);
  });
  app.post("/sign-in", async (context) => {
    let form = new URLSearchParams(await readForm(context.req.raw));
    return await signIn(context, form.get("token") ?? "");
  });
  app.post("/sign-out", (context) => {
    let secret = cookie.read(context);
    let session = secret === null ? null : tokens.sessions.verify(secret);
    if (secret !== null) tokens.sessions.remove(secret);
    if (session) tell("sign_out", context, session.identity);
    cookie.remove(context);
    return context.redirect(`${basePath}/sign-in`, 303);
  });
  return app;
}

/**
 * The address of the link holds the token: no cache may keep it, and no other site is told it. Pages stay with
 * `same-origin`, because under `no-referrer` browsers send our own form with the Origin "null", which is refused.
 */
const keepSecret = createMiddleware(async (context, next) => {
  await next();
  let isPage = context.res.headers.get("Content-Type")?.startsWith("text/html") ?? false;
  context.res.headers.set("Cache-Control", "no-store");
  context.res.headers.set("Referrer-Policy", isPage ? "same-origin" : "no-referrer");
});

async function readForm(request: Request): Promise<string> {
  let type = request.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new AppError("bad_request", "Send the token as a form field (application/x-www-form-urlencoded).");
  }
  let decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (let chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxFormBytes) throw new AppError("bad_request", "The form is too large.");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
