import type { AllowanceView } from "../../views/props.ts";
import { holderOf, type Identity } from "../auth/identity.ts";
import type { Accounts } from "./deps.ts";

/** What somebody whose files are counted may still send; null for everybody else. */
export function allowanceView(
  identity: Identity,
  {
    allowances,
    invitations,
  }: Pick<Accounts, "allowances"> & { invitations: Pick<Accounts["invitations"], "get"> },
): AllowanceView | null {
  let holder = holderOf(identity);
  let left = holder && allowances.left(holder);
  if (holder === null || left === null) return null;
  let invitation = holder.type === "invitation" ? invitations.get(holder.id) : null;
  return {
    invitation: invitation && {
      note: invitation.note,
      until: new Date(invitation.expiresAtMs).toISOString(),
    },
    leftBytes: left.bytes,
    leftFiles: left.files,
  };
}
