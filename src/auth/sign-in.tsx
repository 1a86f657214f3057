/** @jsxImportSource hono/jsx */
import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";

import { SignInForm } from "../../views/fragments/sign-in-form.tsx";
import { SignInLink } from "../../views/fragments/sign-in-link.tsx";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { TokenIdentity, Tokens } from "../state/tokens.ts";
import type { UserFacts, Users } from "../state/users.ts";
import { KIB } from "../units.ts";
import type { AccessEnv } from "./access.ts";
import { type Attempts, createAttempts } from "./attempts.ts";
import type { NoteEvent } from "./events.ts";
import type { Actor } from "./identity.ts";
import type { People } from "./people.ts";
import type { SessionCookie } from "./session-cookie.ts";

export interface SignInOptions {
  tokens: Tokens;
  cookie: SessionCookie;
  clock: Clock;
  basePath: string;
  /** People with passwords; absent: tokens alone sign in. */
  people?: People;
  users?: Pick<Users, "count" | "noteSignIn">;
  attempts?: Attempts;
  note?: NoteEvent;
}

/** The longest name and password, each character of which can be nine in a form. */
const maxFormBytes = 16 * KIB;

/**
 * `GET /sign-in?token=…` (the link), `GET /sign-in` (a form), `POST /sign-in` and `POST /sign-out`, to be mounted at the
 * base path behind the guard. The link is a GET that changes something, so it asks first when another site led or may
 * have led to it, which could sign somebody in with a token of its own and be sent their files, or when a sign-in would
 * end by it. The link of the first start does without: nobody else has it.
 */
export function createSignIn(options: SignInOptions): Hono<AccessEnv> {
  let { tokens, cookie, clock, basePath, people, users, note = () => {} } = options;
  let { attempts = createAttempts(clock) } = options;
  let home = basePath || "/";
  let app = new Hono<AccessEnv>();
  type Ctx = Context<AccessEnv>;

  function sessionOf(context: Ctx) {
    let secret = cookie.read(context);
    return secret === null ? null : tokens.sessions.verify(secret);
  }

  /** A new secret at each sign-in: one that somebody had before knows nothing of it. */
  function begin(context: Ctx, secret: string): Response {
    let before = cookie.read(context);
    if (before !== null) tokens.sessions.remove(before);
    cookie.give(context, secret, context.var.client.secure);
    return context.redirect(home, 303);
  }

  async function byToken(
    context: Ctx,
    token: string,
    find: (token: string) => ReturnType<Tokens["openLink"]>,
  ): Promise<Response> {
    let attempt = attempts.begin(context.var.client.address);
    let found = find(token);
    if (found === null) {
      note(context, { action: "sign_in_failed" });
      return refuse(context, "That token is not known here, or it has expired or been revoked.");
    }
    attempt.succeeded();
    if (found === "ask") return await showLink(context, token, null);
    if (found === "spent") {
      return refuse(
        context,
        "This link has been opened already; it works once. The token in it, which is what follows “token=”, can be pasted here.",
      );
    }
    note(context, { action: "sign_in", ...actorOf({ type: "token", identity: found }) });
    return begin(context, tokens.sessions.create(found.id));
  }

  async function byPassword(context: Ctx, known: People, name: string, password: string): Promise<Response> {
    let user = await known.recognise(name, password, context.var.client.address);
    if (user === null) {
      note(context, known.failure(name));
      return refuse(context, "Name and password do not fit.");
    }
    users?.noteSignIn(user.id);
    note(context, { action: "sign_in", ...actorOf({ type: "user", identity: user }) });
    return begin(context, tokens.sessions.createForUser(user.id));
  }

  function refuse(context: Ctx, sentence: string): Response | Promise<Response> {
    if (!wantsPage(context)) throw new AppError("authentication_required", sentence);
    return showForm(context, sentence);
  }

  function showForm(context: Ctx, problem: string | null): Response | Promise<Response> {
    context.status(problem === null ? 200 : 401);
    let hasUsers = (users?.count() ?? 0) > 0;
    return context.render(
      <SignInForm action={`${basePath}/sign-in`} problem={problem} hasUsers={hasUsers} />,
      { title: "Sign in" },
    );
  }

  function showLink(context: Ctx, token: string, signedInAs: string | null) {
    let props = { action: `${basePath}/sign-in`, token, signedInAs, homeHref: home };
    return context.render(<SignInLink {...props} />, { title: "Sign in" });
  }

  app.use("/sign-in", keepSecret);
  app.get("/sign-in", async (context) => {
    let link = context.req.query("token")?.trim();
    // Programs that look whether a link is good ask by HEAD: that must not use it up.
    if (link === undefined || context.req.method === "HEAD") return showForm(context, null);
    let before = sessionOf(context);
    let site = context.req.header("Sec-Fetch-Site");
    if (before === null && site !== "cross-site" && site !== "same-site") {
      // On plain http browsers don't say what led here. A program opens what it was told to.
      let isDoubted = site === undefined && wantsPage(context);
      return await byToken(context, link, (token) => tokens.openLink(token, isDoubted));
    }
    if (before?.type === "token" && tokens.verify(link)?.id === before.identity.id) {
      return context.redirect(home, 303);
    }
    return showLink(context, link, before?.identity.name ?? null);
  });
  app.post("/sign-in", async (context) => {
    let form = new URLSearchParams(await readForm(context.req.raw));
    let name = form.get("name")?.trim() ?? "";
    if (people && name !== "") return await byPassword(context, people, name, form.get("password") ?? "");
    let link = form.get("link");
    if (link !== null) return await byToken(context, link, (token) => tokens.openLink(token));
    let token = (form.get("token") ?? "").trim();
    return await byToken(context, token, tokens.verify);
  });
  app.post("/sign-out", (context) => {
    let session = sessionOf(context);
    let secret = cookie.read(context);
    if (secret !== null) tokens.sessions.remove(secret);
    cookie.remove(context);
    if (session) note(context, { action: "sign_out", ...actorOf(session) });
    return context.redirect(`${basePath}/sign-in`, 303);
  });
  return app;
}

function wantsPage(context: Context): boolean {
  return context.req.header("Accept")?.includes("text/html") ?? false;
}

type Owner = { type: "token"; identity: TokenIdentity } | { type: "user"; identity: UserFacts };

/** For an event: here nobody has found out yet who asks. */
function actorOf({ type, identity: { id, name } }: Owner): { actor: Actor } {
  return { actor: { type, id: String(id), name } };
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
