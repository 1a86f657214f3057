import { type PixelSize, plausibleSize } from "./facts.ts";

/** By the number in front, 1 to 6: pixels as text, then the same as bytes. */
const TYPES = [
  { type: "image/x-portable-bitmap", extension: "pbm" },
  { type: "image/x-portable-graymap", extension: "pgm" },
  { type: "image/x-portable-pixmap", extension: "ppm" },
];

/** Type and size from the text in front of the pixels: words among comments; null when it is none. */
export function netpbmHeader(
  start: string,
): { type: string; extension: string; size: PixelSize | null } | null {
  if (!/^P[1-6][\s#]/.test(start)) return null;
  let [sign = "", width = "", height = ""] = start.replaceAll(/#[^\n]*/g, " ").split(/\s+/, 3);
  let known = TYPES[(Number(sign[1]) - 1) % TYPES.length];
  if (!known || !/^\d{1,9}$/.test(width) || !/^\d{1,9}$/.test(height)) return null;
  return { ...known, size: plausibleSize(Number(width), Number(height)) };
}
