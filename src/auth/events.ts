import type { JsonObject } from "../domain.ts";
import type { Actor } from "./identity.ts";

/** Something that happened to rights, for the log and for audit. Nothing in it is secret. */
export interface AccessEvent {
  action:
    | "sign_in"
    | "sign_in_failed"
    | "sign_out"
    | "sign_out_everywhere"
    | "password_changed"
    | "token_created"
    | "token_revoked"
    | "user_added"
    | "user_changed"
    | "user_removed"
    | "invitation_created"
    | "invitation_revoked";
  /** Who did it, where the request's identity does not tell: at a sign-in. */
  actor?: Actor;
  /** What it was done to: `token:backup`. Of a sign-in that failed: the user whose name was given, if there is one. */
  subject?: string;
  /** Which rights were given, with which end and limits. */
  detail?: JsonObject;
}

/** The context knows address, request id and, as a rule, the one who asked. */
export type NoteEvent = (context: { readonly var: object }, event: AccessEvent) => void;
