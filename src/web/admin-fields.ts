import type { AdminView } from "../../views/props.ts";
import { AppError } from "../errors.ts";
import { type Scope, SCOPES } from "../state/scopes.ts";
import { DAY_MS, MIB } from "../units.ts";

/** Fields that are never shown again. */
const secretFields = new Set(["form_token", "password"]);
const maxDays = 3650;
const maxCount = 1_000_000_000;

/** What was typed into a form, to be there again when it is refused. */
export function typedIn(fields: URLSearchParams): Pick<AdminView, "typed" | "typedScopes"> {
  let plain = [...fields].filter(([name]) => !secretFields.has(name));
  return { typed: Object.fromEntries(plain), typedScopes: fields.getAll("scope") };
}

/** Words that are no scope are left out; the form has boxes. */
export function scopesIn(fields: URLSearchParams): Scope[] {
  let words = fields.getAll("scope");
  return SCOPES.filter((scope) => words.includes(scope));
}

/** The end of a time of `7d`; null for a field that was left empty. Throws AppError `invalid_parameter`. */
export function expiryIn(fields: URLSearchParams, nowMs: number): number | null {
  let text = fields.get("expires")?.trim() ?? "";
  if (text === "") return null;
  let days = Number(/^(\d{1,4})d$/.exec(text)?.[1]);
  if (days >= 1 && days <= maxDays) return nowMs + days * DAY_MS;
  throw refused("expires", "The time is a number of days, such as 30d.");
}

/** Null for a field that was left empty. Throws AppError `invalid_parameter`. */
export function countIn(fields: URLSearchParams, name: string, what: string): number | null {
  let text = fields.get(name)?.trim() ?? "";
  if (text === "") return null;
  let count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= maxCount) return count;
  throw refused(name, `${what} is a whole number from 1 on.`);
}

export function mebibytesIn(fields: URLSearchParams): number | null {
  let mebibytes = countIn(fields, "max_mb", "The total size");
  return mebibytes === null ? null : mebibytes * MIB;
}

function refused(parameter: string, message: string): AppError {
  return new AppError("invalid_parameter", message, { details: { parameter } });
}
