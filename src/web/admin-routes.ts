import { Hono } from "hono";

import { AdminInvitationsPage } from "../../views/pages/admin-invitations.tsx";
import { AdminTokensPage } from "../../views/pages/admin-tokens.tsx";
import { AdminUsersPage } from "../../views/pages/admin-users.tsx";
import type { AdminView, MadeView } from "../../views/props.ts";
import type { Access } from "../auth/access.ts";
import { actorText } from "../auth/identity.ts";
import { generatePassword } from "../auth/passwords.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { invitationRights, tokenRights } from "../state/rights.ts";
import { countIn, expiryIn, mebibytesIn, scopesIn, typedIn } from "./admin-fields.ts";
import { invitationView, tokenView, userView } from "./admin-views.ts";
import type { Accounts } from "./deps.ts";
import type { WebContext, WebEnv } from "./env.ts";
import { createFormGuard, problemOf } from "./form-guard.ts";
import type { Links } from "./links.ts";
import { ownOrigin } from "./own-origin.ts";
import type { SiteFor } from "./site.ts";

interface AdminDeps {
  requires: Access["requires"];
  accounts: Accounts;
  links: Links;
  siteFor: SiteFor;
  clock: Clock;
  publicUrl: string | null;
}

type Fields = URLSearchParams;
/** The page anew, with what was made or what is wrong. */
type Show = (context: WebContext, view?: Partial<AdminView>) => Response | Promise<Response>;

const noSuch = "There is no such entry any more.";

/** Pages on which tokens, users and invitations are made and ended: plain forms, for whoever has the scope admin. */
export function adminRoutes({ requires, accounts, links, siteFor, clock, publicUrl }: AdminDeps) {
  let { tokens, users, invitations, passwords, note } = accounts;
  let forms = createFormGuard(accounts);
  let routes = new Hono<WebEnv>();
  let admin = requires("admin");

  function viewOf(context: WebContext, view: Partial<AdminView>): AdminView {
    let nothing = { problem: null, typed: {}, typedScopes: ["upload", "view"], made: null };
    return { ...nothing, formToken: forms.token(context), ...view };
  }

  /** A form that makes something: the answer is the page, with the secret on it this once. */
  async function make(
    context: WebContext,
    show: Show,
    work: (fields: Fields) => MadeView | Promise<MadeView>,
  ) {
    let fields = await forms.fields(context);
    try {
      let made = await work(fields);
      context.status(201);
      return await show(context, { made });
    } catch (error) {
      let problem = problemOf(error);
      context.status(400);
      return await show(context, { problem, ...typedIn(fields) });
    }
  }

  /** A form that ends something and leads back to its list. */
  async function end(context: WebContext, back: string, work: () => boolean): Promise<Response> {
    await forms.fields(context);
    if (!work()) throw new AppError("not_found", noSuch);
    return context.redirect(back, 303);
  }

  let showTokens: Show = (context, view = {}) => {
    let nowMs = clock.nowMs();
    let rows = tokens.list().map((token) => tokenView(token, nowMs, links));
    return context.html(
      AdminTokensPage({ site: siteFor(context), view: viewOf(context, view), tokens: rows }),
    );
  };
  let showUsers: Show = (context, view = {}) => {
    let { actor } = context.var.identity;
    let rows = users.list().map((user) => userView(user, actor, links));
    return context.html(AdminUsersPage({ site: siteFor(context), view: viewOf(context, view), users: rows }));
  };
  let showInvitations: Show = (context, view = {}) => {
    let nowMs = clock.nowMs();
    let rows = invitations.list().map((invitation) => invitationView(invitation, nowMs, links));
    let typed = { typed: { expires: "7d" }, ...view };
    return context.html(
      AdminInvitationsPage({ site: siteFor(context), view: viewOf(context, typed), invitations: rows }),
    );
  };

  routes.get("/admin", admin, (context) => context.redirect(links.admin.tokens));
  routes.get("/admin/tokens", admin, (context) => showTokens(context));
  routes.get("/admin/users", admin, (context) => showUsers(context));
  routes.get("/admin/invitations", admin, (context) => showInvitations(context));

  routes.post("/admin/tokens", admin, (context) =>
    make(context, showTokens, (fields) => {
      let name = fields.get("name")?.trim() ?? "";
      let folder = fields.get("prefix")?.trim() ?? "";
      let expiresAtMs = expiryIn(fields, clock.nowMs());
      let maxBytes = mebibytesIn(fields);
      let scopes = scopesIn(fields);
      let { id, token } = tokens.create({
        name,
        scopes,
        ...(expiresAtMs !== null && { expiresAtMs }),
        ...(folder !== "" && { folder }),
        ...(maxBytes !== null && { maxBytes }),
      });
      let facts = { id, scopes, expiresAtMs, folder: folder || null, maxBytes };
      note(context, { action: "token_created", subject: `token:${name}`, detail: tokenRights(facts) });
      return {
        what: `The token “${name}”`,
        label: "Token",
        secret: token,
        hint: "Send it as “Authorization: Bearer …”, or paste it on the sign-in page.",
      };
    }),
  );

  routes.post("/admin/tokens/:id{[0-9]+}/revoke", admin, (context) =>
    end(context, links.admin.tokens, () => {
      let gone = tokens.revoke(context.req.param("id"));
      if (gone) note(context, { action: "token_revoked", subject: `token:${gone.name}` });
      return gone !== null;
    }),
  );

  routes.post("/admin/users", admin, (context) =>
    make(context, showUsers, async (fields) => {
      let given = fields.get("password") ?? "";
      let password = given === "" ? generatePassword() : given;
      let passwordHash = await passwords.hash(password);
      let user = users.add({ name: fields.get("name") ?? "", passwordHash, scopes: scopesIn(fields) });
      let { scopes } = user;
      note(context, { action: "user_added", subject: `user:${user.name}`, detail: { scopes } });
      return handOver(`The user “${user.name}”`, given === "" ? password : null);
    }),
  );

  routes.post("/admin/users/:id{[0-9]+}/password", admin, (context) =>
    make(context, showUsers, async () => {
      let id = context.req.param("id") ?? "";
      refuseSelf(context, id);
      let password = generatePassword();
      let user = users.setPassword(id, await passwords.hash(password));
      if (user === null) throw new AppError("not_found", noSuch);
      note(context, { action: "password_changed", subject: `user:${user.name}` });
      return handOver(`The new password of “${user.name}”`, password);
    }),
  );

  routes.post("/admin/users/:id{[0-9]+}/scopes", admin, async (context) => {
    let id = context.req.param("id");
    let fields = await forms.fields(context);
    refuseSelf(context, id);
    try {
      let user = users.setScopes(id, scopesIn(fields));
      if (user === null) throw new AppError("not_found", noSuch);
      let { scopes } = user;
      note(context, { action: "user_changed", subject: `user:${user.name}`, detail: { scopes } });
    } catch (error) {
      let problem = problemOf(error);
      context.status(400);
      return await showUsers(context, { problem });
    }
    return context.redirect(links.admin.users, 303);
  });

  routes.post("/admin/users/:id{[0-9]+}/remove", admin, (context) =>
    end(context, links.admin.users, () => {
      let id = context.req.param("id");
      refuseSelf(context, id);
      let gone = users.remove(id);
      if (gone) note(context, { action: "user_removed", subject: `user:${gone.name}` });
      return gone !== null;
    }),
  );

  routes.post("/admin/invitations", admin, (context) =>
    make(context, showInvitations, (fields) => {
      let expiresAtMs = expiryIn(fields, clock.nowMs());
      if (expiresAtMs === null)
        throw new AppError("invalid_parameter", "Say for how long the invitation is good.");
      let rights = {
        expiresAtMs,
        maxBytes: mebibytesIn(fields),
        maxFiles: countIn(fields, "max_files", "The number of files"),
      };
      let { id, secret } = invitations.create({
        note: fields.get("note") ?? "",
        createdBy: actorText(context.var.identity),
        ...rights,
      });
      let subject = `invitation:${id}`;
      note(context, { action: "invitation_created", subject, detail: invitationRights(rights) });
      return {
        what: `Invitation ${id}`,
        label: "Link",
        secret: `${publicUrl ?? ownOrigin(context)}${links.invitation}?key=${secret}`,
        hint: "Send it to those who are to send files: whoever has it may.",
      };
    }),
  );

  routes.post("/admin/invitations/:id{[0-9]+}/revoke", admin, (context) =>
    end(context, links.admin.invitations, () => {
      let gone = invitations.revoke(Number(context.req.param("id")));
      if (gone) note(context, { action: "invitation_revoked", subject: `invitation:${gone.id}` });
      return gone !== null;
    }),
  );

  return routes;
}

/** Nobody shuts themselves out by a slip. */
function refuseSelf(context: WebContext, id: string): void {
  let { actor } = context.var.identity;
  if (actor?.type !== "user" || actor.id !== id) return;
  throw new AppError("permission_denied", "That is you: another admin has to do this.");
}

/** @param password null for one that the admin has chosen, and knows */
function handOver(what: string, password: string | null): MadeView {
  return password === null
    ? { what, label: "Password", secret: "as you typed it", hint: "It can be changed on the page Account." }
    : {
        what,
        label: "Password",
        secret: password,
        hint: "Hand it over; it can be changed on the page Account.",
      };
}
