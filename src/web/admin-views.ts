import type { InvitationView, TokenView, UserView } from "../../views/props.ts";
import type { Actor } from "../auth/identity.ts";
import type { Invitation } from "../state/invitations.ts";
import type { TokenFacts } from "../state/tokens.ts";
import type { UserRow } from "../state/users.ts";
import type { Links } from "./links.ts";

export function tokenView(token: TokenFacts, nowMs: number, links: Links): TokenView {
  return {
    id: token.id,
    name: token.name,
    scopes: token.scopes,
    created: iso(token.createdAtMs),
    expires: isoOrNull(token.expiresAtMs),
    isExpired: token.expiresAtMs !== null && token.expiresAtMs <= nowMs,
    lastUsed: isoOrNull(token.lastUsedAtMs),
    folder: token.folder ?? null,
    maxBytes: token.maxBytes ?? null,
    usedBytes: token.usedBytes ?? 0,
    revokeHref: `${links.admin.tokens}/${token.id}/revoke`,
  };
}

export function userView(user: UserRow, viewer: Actor | null, links: Links): UserView {
  let here = `${links.admin.users}/${user.id}`;
  return {
    id: user.id,
    name: user.name,
    scopes: user.scopes,
    created: iso(user.createdAtMs),
    signedIn: isoOrNull(user.signedInAtMs),
    isSelf: viewer?.type === "user" && viewer.id === String(user.id),
    passwordHref: `${here}/password`,
    scopesHref: `${here}/scopes`,
    removeHref: `${here}/remove`,
  };
}

export function invitationView(invitation: Invitation, nowMs: number, links: Links): InvitationView {
  return {
    ...invitation,
    created: iso(invitation.createdAtMs),
    expires: iso(invitation.expiresAtMs),
    lastUsed: isoOrNull(invitation.lastUsedAtMs),
    state: stateOf(invitation, nowMs),
    revokeHref: `${links.admin.invitations}/${invitation.id}/revoke`,
  };
}

export function stateOf(invitation: Invitation, nowMs: number): InvitationView["state"] {
  let { expiresAtMs, maxBytes, maxFiles, usedBytes, usedFiles } = invitation;
  if (expiresAtMs <= nowMs) return "expired";
  let isUsedUp = (maxBytes !== null && usedBytes >= maxBytes) || (maxFiles !== null && usedFiles >= maxFiles);
  return isUsedUp ? "used up" : "open";
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

function isoOrNull(atMs: number | null): string | null {
  return atMs === null ? null : iso(atMs);
}
