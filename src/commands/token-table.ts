import { shortBytes } from "../../views/format.ts";
import type { TokenFacts } from "../state/tokens.ts";
import { columns, minute } from "./columns.ts";

/** Tokens as aligned columns with a heading, one line each; times in UTC, to the minute. Limits only where one has any. */
export function tokenTable(tokens: readonly TokenFacts[], nowMs: number): string {
  let hasLimits = tokens.some(({ folder, maxBytes }) => folder !== undefined || maxBytes !== undefined);
  let limits = (token: TokenFacts) => (hasLimits ? [limitsOf(token)] : []);
  return columns([
    ["ID", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED", ...(hasLimits ? ["LIMITS"] : [])],
    ...tokens.map((token) => [
      String(token.id),
      token.name,
      token.scopes.join(","),
      minute(token.createdAtMs),
      expiry(token.expiresAtMs, nowMs),
      token.lastUsedAtMs === null ? "never" : minute(token.lastUsedAtMs),
      ...limits(token),
    ]),
  ]);
}

function limitsOf({ folder, maxBytes, usedBytes = 0 }: TokenFacts): string {
  let size = maxBytes === undefined ? [] : [`${shortBytes(usedBytes)} of ${shortBytes(maxBytes)}`];
  return [...(folder === undefined ? [] : [folder]), ...size].join(", ");
}

function expiry(atMs: number | null, nowMs: number): string {
  if (atMs === null) return "never";
  return atMs <= nowMs ? `expired ${minute(atMs)}` : minute(atMs);
}
