import { zValidator } from "@hono/zod-validator";
import { z } from "zod";

import { AppError } from "../errors.ts";

export const maxIdempotencyKeyChars = 255;
export const idempotencyKeyPattern = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;
export const maxIds = 1000;

/** An integer id or a uid; anything else names nothing. */
const idSchema = z.union([
  z
    .string()
    .regex(/^[1-9]\d{0,15}$/)
    .refine((text) => Number.isSafeInteger(Number(text))),
  z
    .string()
    .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
    .toLowerCase(),
]);

/** Validates `:id`; what can't be an id is `not_found`, as an unknown one is. */
export const idParameter = zValidator("param", z.object({ id: idSchema }), (result) => {
  if (!result.success) throw new AppError("not_found", noSuchFile);
});

/** The same where the router's `:id` carries the `.json` of the address. */
export const jsonIdParameter = zValidator(
  "param",
  z.object({
    id: z
      .string()
      .transform((text) => text.replace(/\.json$/, ""))
      .pipe(idSchema),
  }),
  (result) => {
    if (!result.success) throw new AppError("not_found", noSuchFile);
  },
);

/** Ids of a bulk request, `id` repeated; each an id or a uid. Rejects with `invalid_parameter`. */
export function bulkIds(fields: URLSearchParams): string[] {
  let parsed = z.array(idSchema).safeParse(fields.getAll("id"));
  if (parsed.success) {
    let ids = [...new Set(parsed.data)];
    if (ids.length > 0 && ids.length <= maxIds) return ids;
    throw new AppError("invalid_parameter", `Name 1 to ${maxIds} files with id.`, {
      details: { parameter: "id" },
    });
  }
  throw new AppError("invalid_parameter", "Each id must be a number or a uid.", {
    details: { parameter: "id" },
  });
}

export const noSuchFile = "There is no such file.";

/** The Idempotency-Key header, or null; rejects with `invalid_parameter` unless it is 1 to 255 printable ASCII characters. */
export function parseIdempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  // A structured-field string, as the IETF draft has it, may stand in quotes; they are a part of the key then.
  if (idempotencyKeyPattern.test(header) && header.length <= maxIdempotencyKeyChars) return header;
  throw new AppError(
    "invalid_parameter",
    `Idempotency-Key must be 1 to ${maxIdempotencyKeyChars} printable ASCII characters.`,
    { details: { parameter: "Idempotency-Key" } },
  );
}
