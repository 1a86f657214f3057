import { z } from "zod";

/**
 * What a value may look like. Every schema takes what a flag or variable gives (text) and what a file gives (text,
 * number, boolean, list); its message is the rule, told in full whatever is wrong.
 */

const booleanWords: Record<string, boolean> = {
  true: true,
  yes: true,
  "1": true,
  false: false,
  no: false,
  "0": false,
};
const wholeNumberPattern = /^-?\d{1,15}$/;

export function wholeNumber(least: number, most: number): z.ZodType<number> {
  let error = `must be a whole number from ${least} to ${most}`;
  return z.preprocess(
    (raw) => (typeof raw === "string" && wholeNumberPattern.test(raw.trim()) ? Number(raw) : raw),
    z.int({ error }).min(least, { error }).max(most, { error }),
  );
}

export function yesOrNo(): z.ZodType<boolean> {
  return z.preprocess(
    (raw) => booleanWords[String(raw).trim().toLowerCase()] ?? raw,
    z.boolean({ error: "must be true or false (yes, no, 1 and 0 do as well)" }),
  );
}

/** One of a few words, in any case. */
export function oneOf<const W extends string>(words: readonly W[]): z.ZodType<W> {
  return z.preprocess(lowerCase, z.enum(words, { error: `must be one of ${words.join(", ")}` }));
}

/** Text that `parse` understands; `parse` answers null for what it does not. */
export function text<T>(rule: string, parse: (text: string) => T | null): z.ZodType<T> {
  return z
    .string({ error: `${rule}; in a file, put it in quotes` })
    .trim()
    .transform((given, context) => {
      let parsed = parse(given);
      if (parsed !== null) return parsed;
      context.addIssue({ code: "custom", message: rule });
      return z.NEVER;
    });
}

export function matching(rule: string, pattern: RegExp): z.ZodType<string> {
  return text(rule, (given) => (pattern.test(given) ? given : null));
}

/** A list, or a comma list; blank entries are dropped, repeated ones kept once. */
export function listOf<T extends string>(
  rule: string,
  parse: (entry: string) => T | null,
): z.ZodType<readonly T[]> {
  return z
    .preprocess(
      (raw) => (typeof raw === "string" ? raw.split(",") : raw),
      z.array(z.string({ error: rule }), { error: rule }),
    )
    .transform((entries, context) => {
      let parsed = entries.filter((entry) => entry.trim() !== "").map((entry) => parse(entry.trim()));
      let sound = parsed.filter((entry) => entry !== null);
      if (sound.length === parsed.length) return [...new Set(sound)];
      context.addIssue({ code: "custom", message: rule });
      return z.NEVER;
    });
}

function lowerCase(raw: unknown): unknown {
  return typeof raw === "string" ? raw.trim().toLowerCase() : raw;
}
