import { AppError } from "../errors.ts";
import { formFields } from "./bounded-body.ts";
import type { Accounts } from "./deps.ts";
import type { WebContext } from "./env.ts";

/** The forms that give and take rights. */
export interface FormGuard {
  /** What the hidden field of a form has to hold. */
  token(context: WebContext): string;
  /** The fields of a form that was made for the one who sends it; throws AppError `cross_site_request` for another. */
  fields(context: WebContext): Promise<URLSearchParams>;
}

export function createFormGuard({ formTokens, cookie }: Pick<Accounts, "formTokens" | "cookie">): FormGuard {
  return {
    token: (context) => formTokens.of(context.var.identity, cookie.read(context)),
    async fields(context) {
      let fields = await formFields(context, { required: true });
      formTokens.check(fields, context.var.identity, cookie.read(context));
      return fields;
    },
  };
}

/** The sentence of what a form was refused for; any other failure goes on. */
export function problemOf(error: unknown): string {
  if (error instanceof AppError && error.code === "invalid_parameter") return error.message;
  throw error;
}
