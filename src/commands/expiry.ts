import { AppError } from "../errors.ts";
import { DAY_MS, HOUR_MS } from "../units.ts";

const unitMs: Record<string, number> = { h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS };

/**
 * A moment after now, in milliseconds since 1970, from `12h`, `30d`, `8w` or a day such as `2027-01-31`, which counts to
 * its end in UTC. Throws AppError `invalid_parameter`.
 */
export function parseExpiry(text: string, nowMs: number): number {
  let span = /^(\d{1,4})([hdw])$/.exec(text.trim());
  let atMs = span === null ? endOfDay(text.trim()) : nowMs + Number(span[1]) * (unitMs[span[2] ?? ""] ?? NaN);
  if (Number.isNaN(atMs)) {
    throw refused(`--expires takes a time such as 30d or 12h, or a day such as 2027-01-31, not “${text}”.`);
  }
  if (atMs <= nowMs) throw refused(`--expires ${text} is over already.`);
  return atMs;
}

/** NaN for what is no day of the calendar. */
function endOfDay(text: string): number {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return Number.NaN;
  let startMs = Date.parse(`${text}T00:00:00.000Z`);
  if (Number.isNaN(startMs) || !new Date(startMs).toISOString().startsWith(text)) return Number.NaN;
  return startMs + DAY_MS - 1;
}

function refused(sentence: string): AppError {
  return new AppError("invalid_parameter", sentence, { details: { parameter: "--expires" } });
}
