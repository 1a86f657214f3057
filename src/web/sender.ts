import type { Allowances } from "../allowance.ts";
import { holderOf, type Identity, isAllowed } from "../auth/identity.ts";
import { AppError } from "../errors.ts";
import type { UploadContext } from "../receive-upload.ts";
import type { NewUpload } from "../resume/resumable.ts";
import type { Accounts } from "./deps.ts";

/** What every way in has to hand on about the one who sends. */
export function senderContext(
  identity: Identity,
  allowances: Pick<Allowances, "of">,
): Required<Pick<UploadContext, "folder" | "allowance">> {
  let holder = holderOf(identity);
  return { folder: identity.folder, allowance: holder && allowances.of(holder) };
}

/** Throws AppError `permission_denied` when the sender is gone. What is on its way then gets no row. */
export type RefuseGone = () => void;

/**
 * A right is looked at when a request begins, and an upload may take hours: what was revoked or removed meanwhile is
 * looked for once more at its end. A token that expires meanwhile was good when it was needed.
 */
export function refuseGone(
  { tokens, users }: Pick<Accounts, "tokens" | "users">,
  { actor }: Identity,
): RefuseGone {
  return () => {
    if (actor?.type === "token" && !tokens.has(Number(actor.id))) {
      throw new AppError("permission_denied", "The token was revoked.");
    }
    if (actor?.type === "user" && users.get(Number(actor.id)) === null) {
      throw new AppError("permission_denied", "The user was removed.");
    }
  };
}

/** What of `senderContext` can be written down, for an upload that goes on in later requests. */
export function resumableSender(identity: Identity): Pick<NewUpload, "sender" | "folder" | "holder"> {
  let sender = identity.actor === null ? null : senderKey(identity);
  return { sender, folder: identity.folder, holder: holderOf(identity) };
}

/** Whether an upload that somebody began is this one's to go on with: what nobody in particular began is everybody's. */
export function isSender(identity: Identity, sender: string | null): boolean {
  return sender === null || sender === senderKey(identity) || isAllowed(identity, "admin");
}

/**
 * The sender as a part of names that must not be shared. A token's id alone: keys that senders used before there were
 * others must go on to mean the same.
 */
export function senderKey({ actor }: Identity): string {
  if (actor === null) return "anybody";
  return actor.type === "token" ? actor.id : `${actor.type}:${actor.id}`;
}
