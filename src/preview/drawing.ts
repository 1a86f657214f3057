import type { FileRecord } from "../domain.ts";
import { MIB } from "../units.ts";

/** The longer side: sharp at twice the size of a tile in a grid. */
export const maxSidePixels = 320;
/** A hundred-megapixel camera still fits. Refused by what the catalog says, and again by the file's own header. */
export const maxDrawnPixels = 120_000_000;
/** The process that draws holds the whole file. */
export const maxDrawnBytes = 64 * MIB;

/** What Bun.Image decodes on every system. */
export const drawnTypes = new Set([
  "image/jpeg",
  "image/png",
  "image/apng",
  "image/gif",
  "image/webp",
  "image/bmp",
]);

/** How a picture becomes a thumbnail. */
export interface Drawing {
  /** Of the file. */
  sizeBytes: number;
  /** Pixels as the file's header must say. */
  storedWidth: number;
  storedHeight: number;
  /** EXIF, 1 to 8. */
  orientation: number;
  /** Pixels of the thumbnail, upright. */
  width: number;
  height: number;
}

/** Null for what can't be drawn or might cost too much, decided by the catalog's row alone. */
export function drawingOf(record: FileRecord): Drawing | null {
  let { width, height, size_bytes: sizeBytes, metadata } = record;
  if (!drawnTypes.has(record.content_type) || width === null || height === null) return null;
  if (sizeBytes === 0 || sizeBytes > maxDrawnBytes || width * height > maxDrawnPixels) return null;
  let orientation = typeof metadata["orientation"] === "number" ? metadata["orientation"] : 1;
  let isTurned = orientation >= 5;
  let scale = Math.min(1, maxSidePixels / Math.max(width, height));
  return {
    sizeBytes,
    storedWidth: isTurned ? height : width,
    storedHeight: isTurned ? width : height,
    orientation,
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}
