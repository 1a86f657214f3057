import type { ByteSource } from "./byte-source.ts";
import type { Position } from "./exif/position.ts";

/** Pixels. */
export interface PixelSize {
  width: number;
  height: number;
}

/** A TIFF block (what holds EXIF): a whole source of its own, or a range of the file. */
export interface TiffPlace {
  source: ByteSource;
  offset: number;
  length: number;
  /** Blocks of their own, where a format does not put these directories into the first one. */
  exposure?: TiffPlace | null;
  gps?: TiffPlace | null;
}

/** What a format's own structure tells. */
export interface FileFacts {
  /** As the file stores it. */
  stored?: PixelSize | null;
  /** As displayed, where the container itself decides that; EXIF orientation does not count then. */
  displayed?: PixelSize | null;
  /** Where EXIF is. */
  tiff?: TiffPlace | null;
  durationSeconds?: number | null;
  /** Told by the container, where no EXIF is. */
  position?: Position | null;
  /** ISO 8601, as the camera wrote it. */
  recordedAt?: string | null;
  make?: string | undefined;
  model?: string | undefined;
}

const maxPixels = 2 ** 31;

/** The size when both sides can be one, else null. The numbers stay as the file claims them. */
export function plausibleSize(width: number, height: number): PixelSize | null {
  return isSide(width) && isSide(height) ? { width, height } : null;
}

function isSide(pixels: number): boolean {
  return pixels >= 1 && pixels <= maxPixels;
}

/** To the millisecond; null for what is no duration. */
export function plausibleDuration(seconds: number): number | null {
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1000) / 1000 : null;
}

export function swapSides(size: PixelSize): PixelSize {
  return { width: size.height, height: size.width };
}
