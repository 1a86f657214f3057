import { AppError } from "../errors.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../units.ts";

const unitMs: Record<string, number> = {
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

/** Milliseconds of `0`, `90s`, `30m`, `24h`, `7d` or `8w`. Throws AppError `invalid_parameter` that names the option. */
export function parseDuration(text: string, option: string): number {
  let trimmed = text.trim();
  let span = /^(\d{1,6})([smhdw])$/.exec(trimmed);
  if (trimmed === "0") return 0;
  if (span) return Number(span[1]) * (unitMs[span[2] ?? ""] ?? Number.NaN);
  throw new AppError(
    "invalid_parameter",
    `${option} takes a time such as 24h, 30m, 7d or 0, not “${text}”.`,
    {
      details: { parameter: option },
    },
  );
}
