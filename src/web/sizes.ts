import { GIB, KIB, MIB, TIB } from "../units.ts";

/** A number with or without a unit. */
export const sizePattern = /^(\d{1,16}(?:[.,]\d{1,6})?)\s*(?:([kKmMgGtT]?)[iI]?[bB]?|[bB][yY][tT][eE][sS]?)$/;
const factors: Record<string, number> = { "": 1, k: KIB, m: MIB, g: GIB, t: TIB };

/**
 * Bytes of a size as people write it, or null when it is none: `10`, `500 bytes`, `10 MB`, `1.5GB`, `2 GiB`. Units are of
 * 1,024, as where pages show sizes; a fraction of a byte is rounded up.
 */
export function parseSize(text: string): number | null {
  let match = sizePattern.exec(text.trim());
  if (!match) return null;
  let [, number = "", unit = ""] = match;
  let bytes = Math.ceil(Number(number.replace(",", ".")) * (factors[unit.toLowerCase()] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : null;
}
