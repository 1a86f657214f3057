import type { Allowances } from "../allowance.ts";
import { holderOf, type Identity } from "../auth/identity.ts";
import type { UploadContext } from "../receive-upload.ts";

/** What every way in has to hand on about the one who sends. */
export function senderContext(
  identity: Identity,
  allowances: Pick<Allowances, "of">,
): Required<Pick<UploadContext, "folder" | "allowance">> {
  let holder = holderOf(identity);
  return { folder: identity.folder, allowance: holder && allowances.of(holder) };
}

/**
 * The sender as a part of names that must not be shared. A token's id alone: keys that senders used before there were
 * others must go on to mean the same.
 */
export function senderKey({ actor }: Identity): string {
  if (actor === null) return "anybody";
  return actor.type === "token" ? actor.id : `${actor.type}:${actor.id}`;
}
