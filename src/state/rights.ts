import type { JsonObject } from "../domain.ts";
import type { NewInvitation } from "./invitations.ts";
import type { Scope } from "./scopes.ts";

/** What a new token may, as the audit log has it, whoever made it and in which way. */
export function tokenRights(token: {
  id: number;
  scopes: readonly Scope[];
  expiresAtMs: number | null;
  folder: string | null;
  maxBytes: number | null;
}): JsonObject {
  let { id, scopes, expiresAtMs, folder, maxBytes } = token;
  return {
    token_id: id,
    scopes: [...scopes],
    expires_at: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
    ...(folder !== null && { prefix: folder }),
    ...(maxBytes !== null && { max_bytes: maxBytes }),
  };
}

export function invitationRights({
  expiresAtMs,
  maxBytes,
  maxFiles,
}: Pick<NewInvitation, "expiresAtMs" | "maxBytes" | "maxFiles">): JsonObject {
  return { expires_at: new Date(expiresAtMs).toISOString(), max_bytes: maxBytes, max_files: maxFiles };
}
