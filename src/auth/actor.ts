import type { Identity } from "./access.ts";

/** Who somebody is, as the audit log shows it; null for nobody in particular. */
export function actorText({ token }: Identity): string | null {
  return token === null ? null : `token ${token.id} ${token.name}`;
}
