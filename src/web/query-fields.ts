import { z } from "zod";

import { AppError } from "../errors.ts";

/** Parameters of an address: what they take, in words that name what works. The OpenAPI document is made of the same. */

type Optional<Schema extends z.ZodType> = ReturnType<typeof queryField<Schema>>;

/** Parameters that may be left out, or left empty as a search form does; each may stand once. */
export function queryFields<Fields extends Record<string, z.ZodType>>(fields: Fields) {
  let entries = Object.entries(fields).map(([name, schema]) => [name, queryField(schema)] as const);
  return Object.fromEntries(entries) as { [Name in keyof Fields]: Optional<Fields[Name]> };
}

function queryField<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value, check) => {
    if (Array.isArray(value)) check.addIssue({ code: "custom", message: "stands more than once" });
    return absentWhenBlank(value);
  }, schema.optional());
}

function absentWhenBlank(value: unknown): unknown {
  return typeof value === "string" && value.trim() === "" ? undefined : value;
}

export function choiceField<const Values extends readonly string[]>(values: Values, description: string) {
  return z.enum(values, { error: `must be one of ${values.join(", ")}` }).meta({ description });
}

export function textField(maxChars: number, description: string) {
  return z.string().max(maxChars, `must have at most ${maxChars} characters`).meta({ description });
}

export function pageSizeField(most: number, usual: number, description: string) {
  let error = `must be a number from 1 to ${most}`;
  return z
    .string()
    .regex(/^\d{1,4}$/, error)
    .transform(Number)
    .pipe(z.number().min(1, error).max(most, error))
    .meta({ description, type: "integer", minimum: 1, maximum: most, default: usual, pattern: undefined });
}

export function dayField(description: string) {
  return z
    .string()
    .refine(isDay, "must be a day like 2026-11-23")
    .meta({ description, format: "date", examples: ["2026-11-23"] });
}

function isDay(written: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(written)) return false;
  let date = new Date(`${written}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(written);
}

/** Names the first parameter at fault. */
export function invalidParameter(issue: { path: PropertyKey[]; message: string } | undefined): AppError {
  let parameter = String(issue?.path[0] ?? "query");
  return new AppError("invalid_parameter", `${parameter}: ${issue?.message ?? "can't be used"}.`, {
    details: { parameter },
  });
}
