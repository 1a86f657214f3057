import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

import { AppError } from "../errors.ts";
import { actorText, type Identity } from "./identity.ts";

/** The name of the hidden field. */
export const formTokenField = "form_token";

/**
 * Proof that a form was made by us for the one who sends it: a second bar beside Sec-Fetch-Site and Origin on forms that
 * give and take rights. Good as long as the session is, and the process.
 */
export interface FormTokens {
  /** @param secret of the session behind the request; null for one who is known in another way */
  of(identity: Identity, secret: string | null): string;
  /** Throws AppError `cross_site_request` unless the fields hold the token. What stands in an Authorization header no other site can send, and needs none. */
  check(fields: URLSearchParams, identity: Identity, secret: string | null): void;
}

export function createFormTokens(): FormTokens {
  let key = randomBytes(32);
  let tokenOf: FormTokens["of"] = (identity, secret) =>
    createHmac("sha256", key)
      .update(JSON.stringify([actorText(identity), secret]))
      .digest("base64url");
  return {
    of: tokenOf,
    check(fields, identity, secret) {
      if (identity.kind === "token" || identity.kind === "password") return;
      let given = Buffer.from(fields.get(formTokenField) ?? "");
      let wanted = Buffer.from(tokenOf(identity, secret));
      if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
      throw new AppError(
        "cross_site_request",
        "The form is older than your sign-in or than the server: load its page again, then send it.",
      );
    },
  };
}
