import type { Invitation } from "../state/invitations.ts";
import type { Scope } from "../state/scopes.ts";
import type { TokenIdentity } from "../state/tokens.ts";
import type { Holder } from "../state/usage.ts";
import type { UserFacts } from "../state/users.ts";

export type ActorType = "user" | "token" | "invitation" | "datasette" | "proxy";

/** Somebody in particular. `id` stays the same for as long as there is the actor; `name` is for people. */
export interface Actor {
  type: ActorType;
  id: string;
  name: string;
}

/** Who asks, and what for. */
export interface Identity {
  /**
   * How they came: `anonymous` is nobody in particular; `token` and `password` stand in the request's Authorization
   * header, `session` is a cookie of ours; the others are named like their actors.
   */
  kind: "anonymous" | "token" | "password" | "session" | "invitation" | "datasette" | "proxy";
  /** Null for nobody in particular. */
  actor: Actor | null;
  scopes: readonly Scope[];
  /** Keys that its files go below, and outside of which it sees none: `clients/acme/`. Null: no such limit. */
  folder: string | null;
  /** True when a total size or number is set for what it sends: its uploads are counted. */
  isCounted: boolean;
}

const maxNameCharacters = 100;

/** The one who asks in a short line for logs and audit: `user:ann`, `token:backup`, `anonymous`. */
export function actorText({ actor }: Pick<Identity, "actor">): string {
  if (actor === null) return "anonymous";
  // Names that come from elsewhere may hold anything.
  return `${actor.type}:${actor.name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "_").slice(0, maxNameCharacters)}`;
}

/** Whether somebody may do what the scope names; `admin` covers the others. */
export function isAllowed({ scopes }: Pick<Identity, "scopes">, scope: Scope): boolean {
  return scopes.includes(scope) || scopes.includes("admin");
}

export function tokenIdentity(kind: "token" | "session", token: TokenIdentity): Identity {
  let { id, name, scopes, folder = null, maxBytes } = token;
  let actor: Actor = { type: "token", id: String(id), name };
  return { kind, actor, scopes, folder, isCounted: maxBytes !== undefined };
}

export function userIdentity(kind: "password" | "session", { id, name, scopes }: UserFacts): Identity {
  return { kind, actor: { type: "user", id: String(id), name }, scopes, folder: null, isCounted: false };
}

/** An invitation has no name; its number stands for it. */
export function invitationIdentity({ id }: Pick<Invitation, "id">): Identity {
  let actor: Actor = { type: "invitation", id: String(id), name: String(id) };
  return { kind: "invitation", actor, scopes: ["upload"], folder: null, isCounted: true };
}

/** Whose count the uploads of somebody go to; null when nothing is counted. */
export function holderOf({ actor, isCounted }: Identity): Holder | null {
  if (!isCounted || (actor?.type !== "token" && actor?.type !== "invitation")) return null;
  return { type: actor.type, id: Number(actor.id) };
}
