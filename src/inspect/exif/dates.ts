import type { Tags } from "./read-exif.ts";

const written = /^(\d{4})[:\-/](\d\d)[:\-/](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/;

const localLength = "2024-05-31T17:04:05".length;

/** When the picture was taken, as the camera wrote it: `2024-05-31T17:04:05`, with `+02:00` where the file has it. */
export function takenAt(exposure: Tags): string | null {
  return (
    moment(exposure, "DateTimeOriginal", "OffsetTimeOriginal") ??
    moment(exposure, "CreateDate", "OffsetTimeDigitized")
  );
}

function moment(tags: Tags, date: string, offset: string): string | null {
  let local = isoDate(tags.get(date));
  if (local === null || local.length > localLength) return local;
  let zone = tags.get(offset);
  return local + (typeof zone === "string" ? validOffset(zone.trim()) : "");
}

/** An EXIF date (`2024:05:31 17:04:05`) in ISO 8601; null for blank and impossible ones. */
export function isoDate(value: unknown): string | null {
  let parts = typeof value === "string" ? written.exec(value.trim()) : null;
  if (!parts) return null;
  let [, year = "", month = "", day = "", hour = "", minute = "", second = "00", offset = ""] = parts;
  let exists = Number(day) >= 1 && Number(day) <= daysIn(Number(year), Number(month));
  if (!exists || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${validOffset(offset)}`;
}

/** An EXIF day (`2024:05:31`) in ISO 8601; null for impossible ones. */
export function isoDay(value: unknown): string | null {
  return typeof value === "string" ? (isoDate(`${value.trim()} 00:00:00`)?.slice(0, 10) ?? null) : null;
}

function daysIn(year: number, month: number): number {
  if (year < 1 || month < 1 || month > 12) return 0;
  let leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}

function validOffset(text: string): string {
  if (text === "Z") return text;
  let parts = /^[+-](\d\d):(\d\d)$/.exec(text);
  return parts && Number(parts[1]) <= 14 && Number(parts[2]) <= 59 ? text : "";
}
