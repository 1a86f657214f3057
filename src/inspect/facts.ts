import type { ByteSource } from "./byte-source.ts";

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
}

const maxPixels = 2 ** 31;

/** The size when both sides can be one, else null. The numbers stay as the file claims them. */
export function plausibleSize(width: number, height: number): PixelSize | null {
  let fits = (side: number) => Number.isFinite(side) && side >= 1 && side <= maxPixels;
  return fits(width) && fits(height) ? { width, height } : null;
}

export function swapSides(size: PixelSize): PixelSize {
  return { width: size.height, height: size.width };
}
