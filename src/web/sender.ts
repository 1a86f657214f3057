import type { Allowances } from "../allowance.ts";
import { holderOf, type Identity, isAllowed } from "../auth/identity.ts";
import type { UploadContext } from "../receive-upload.ts";
import type { NewUpload } from "../resume/resumable.ts";

/** What every way in has to hand on about the one who sends. */
export function senderContext(
  identity: Identity,
  allowances: Pick<Allowances, "of">,
): Required<Pick<UploadContext, "folder" | "allowance">> {
  let holder = holderOf(identity);
  return { folder: identity.folder, allowance: holder && allowances.of(holder) };
}

/** The same for an upload that goes on in later requests: what of it can be written down. */
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
