import type { TokenFacts } from "../state/tokens.ts";

/** Tokens as aligned columns with a heading, one line each; times in UTC, to the minute. */
export function tokenTable(tokens: readonly TokenFacts[], nowMs: number): string {
  let rows = [
    ["ID", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED"],
    ...tokens.map((token) => [
      String(token.id),
      token.name,
      token.scopes.join(","),
      minute(token.createdAtMs),
      expiry(token.expiresAtMs, nowMs),
      token.lastUsedAtMs === null ? "never" : minute(token.lastUsedAtMs),
    ]),
  ];
  let widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => Bun.stringWidth(row[column] ?? ""))),
  );
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => padded(cell, widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function padded(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - Bun.stringWidth(cell)));
}

function expiry(atMs: number | null, nowMs: number): string {
  if (atMs === null) return "never";
  return atMs <= nowMs ? `expired ${minute(atMs)}` : minute(atMs);
}

function minute(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace("T", " ");
}
