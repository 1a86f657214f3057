import { Hono } from "hono";

import { OpenInvitationPage } from "../../views/pages/open-invitation.tsx";
import { AppError } from "../errors.ts";
import { formFields } from "./bounded-body.ts";
import type { Accounts } from "./deps.ts";
import type { WebContext, WebEnv } from "./env.ts";
import type { Links } from "./links.ts";
import type { SiteFor } from "./site.ts";

interface InvitationDeps {
  accounts: Pick<Accounts, "invitations" | "attempts" | "cookie" | "tokens">;
  links: Links;
  siteFor: SiteFor;
}

/**
 * `GET /invitation?key=…`: the link that invited people open. It leaves the secret in the session's cookie, and with it
 * they are who may upload and nothing else, on the same pages as everybody. Opening it changes nothing here, so that
 * programs which look at links in mails do no harm.
 */
export function invitationRoutes({ accounts, links, siteFor }: InvitationDeps) {
  let { invitations, attempts, cookie, tokens } = accounts;
  let routes = new Hono<WebEnv>();

  function secretOf(context: WebContext, untrusted: string | null | undefined): string {
    let secret = untrusted?.trim() ?? "";
    let attempt = attempts.begin(context.var.client.address);
    if (invitations.verify(secret) === null) {
      throw new AppError(
        "not_found",
        "This invitation is not known here: it is over, or was withdrawn. Ask the person who sent you the link.",
      );
    }
    attempt.succeeded();
    return secret;
  }

  function open(context: WebContext, secret: string): Response {
    cookie.give(context, secret, context.var.client.secure);
    // The address of the link holds the secret.
    context.header("Referrer-Policy", "no-referrer");
    return context.redirect(links.home, 303);
  }

  routes.get("/invitation", (context) => {
    let secret = secretOf(context, context.req.query("key"));
    // Our cookie counts before Datasette's: those whom it knows would be invited and nothing else, without a word.
    let { kind } = context.var.identity;
    if (kind !== "session" && kind !== "datasette") return open(context, secret);
    return context.html(OpenInvitationPage({ site: siteFor(context), action: links.invitation, secret }));
  });

  routes.post("/invitation", async (context) => {
    let fields = await formFields(context, { required: true });
    let secret = secretOf(context, fields.get("key"));
    let before = cookie.read(context);
    if (before !== null) tokens.sessions.remove(before);
    return open(context, secret);
  });

  return routes;
}
