import { Hono } from "hono";

import { AccountPage } from "../../views/pages/account.tsx";
import type { Access } from "../auth/access.ts";
import type { SessionOwner } from "../state/sessions.ts";
import type { Accounts } from "./deps.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { createFormGuard, problemOf } from "./form-guard.ts";
import type { Links } from "./links.ts";
import type { SiteFor } from "./site.ts";

interface AccountDeps {
  requiresSession: Access["requiresSession"];
  accounts: Accounts;
  links: Links;
  siteFor: SiteFor;
}

/** What everybody may who has signed in here: look at it, change the password, end every sign-in. */
export function accountRoutes({ requiresSession, accounts, links, siteFor }: AccountDeps) {
  let { tokens, users, people, passwords, cookie, note } = accounts;
  let forms = createFormGuard(accounts);
  let routes = new Hono<WebEnv>();

  function show(context: WebContext, told: { problem?: string; done?: string } = {}) {
    let { actor, scopes } = context.var.identity;
    return context.html(
      AccountPage({
        site: siteFor(context),
        formToken: forms.token(context),
        name: actor?.name ?? "",
        scopes,
        hasPassword: actor?.type === "user",
        problem: told.problem ?? null,
        done: told.done ?? null,
      }),
    );
  }

  async function changePassword(context: WebContext, fields: URLSearchParams): Promise<string | null> {
    let { actor } = context.var.identity;
    if (actor?.type !== "user") return "A token has no password.";
    let current = fields.get("current") ?? "";
    if ((await people.recognise(actor.name, current, context.var.client.address)) === null) {
      note(context, people.failure(actor.name));
      return "That is not your current password.";
    }
    try {
      users.setPassword(actor.id, await passwords.hash(fields.get("password") ?? ""));
    } catch (error) {
      return problemOf(error);
    }
    note(context, { action: "password_changed", subject: `user:${actor.name}` });
    // Every session has ended, this one as well.
    cookie.give(context, tokens.sessions.createForUser(Number(actor.id)), context.var.client.secure);
    return null;
  }

  routes.get("/account", requiresSession, (context) =>
    show(context, context.req.query("changed") === undefined ? {} : { done: "Your password is changed." }),
  );

  routes.post("/account/password", requiresSession, async (context) => {
    let problem = await changePassword(context, await forms.fields(context));
    if (problem === null) return context.redirect(`${links.account}?changed`, 303);
    context.status(400);
    return show(context, { problem });
  });

  routes.post("/account/sign-out-everywhere", requiresSession, async (context) => {
    await forms.fields(context);
    let owner = ownerOf(context);
    if (owner) tokens.sessions.removeAll(owner);
    cookie.remove(context);
    note(context, { action: "sign_out_everywhere" });
    return context.redirect(links.signIn, 303);
  });

  return routes;
}

function ownerOf(context: WebContext): SessionOwner | null {
  let { actor } = context.var.identity;
  if (actor?.type !== "user" && actor?.type !== "token") return null;
  return { type: actor.type, id: Number(actor.id) };
}
