import { AppError } from "../errors.ts";

/** What somebody may do, in the order in which scopes are stored and shown; `admin` covers the others. */
export const SCOPES = ["upload", "view", "delete", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** As it is stored. Throws `invalid_parameter` for none. */
export function scopesText(scopes: readonly Scope[], whose: string): string {
  let ordered = SCOPES.filter((scope) => scopes.includes(scope));
  if (ordered.length > 0) return ordered.join(",");
  throw new AppError("invalid_parameter", `${whose} needs at least one scope.`, {
    details: { parameter: "scope" },
  });
}

export function scopesOf(stored: string): Scope[] {
  let words = stored.split(",");
  return SCOPES.filter((scope) => words.includes(scope));
}
