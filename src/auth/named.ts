import { AppError } from "../errors.ts";
import { type Scope, SCOPES } from "../state/scopes.ts";
import type { Client } from "./forwarding.ts";
import type { Identity } from "./identity.ts";

/** What people may do whom another program vouches for, by their name there; `*` stands for all others. */
export type NamedScopes = Readonly<Record<string, readonly Scope[]>>;

const maxNameCharacters = 200;

export function identityByName(
  type: "datasette" | "proxy",
  { id, name }: { id: string; name: string },
  scopes: NamedScopes,
  anonymousScopes: readonly Scope[],
): Identity {
  let key = Object.hasOwn(scopes, id) ? id : "*";
  // They did not ask to be known here: it must not leave them with less than nobody in particular has.
  let all = new Set([...(scopes[key] ?? []), ...anonymousScopes]);
  return {
    kind: type,
    actor: { type, id, name },
    scopes: SCOPES.filter((scope) => all.has(scope)),
    folder: null,
    isCounted: false,
  };
}

/**
 * The name that a trusted proxy gives in its header; null when it gives none.
 *
 * Throws AppError `permission_denied` when anybody else sends the header, and `bad_request` when it was sent twice: a
 * proxy that adds its own behind the sender's would else let senders choose.
 */
export function proxyUser(header: string, headers: Headers, client: Client): string | null {
  let name = headers.get(header);
  if (name === null) return null;
  if (!client.byProxy) {
    throw new AppError(
      "permission_denied",
      `The header ${header} is only believed from the addresses in trusted_proxies.`,
    );
  }
  if (name.trim() === "") return null;
  if (name.includes(",") || name.length > maxNameCharacters || /\p{Cc}/u.test(name)) {
    throw new AppError("bad_request", `The header ${header} does not hold one name.`);
  }
  return name.trim();
}
