import type { Json } from "../../domain.ts";
import type { Tags } from "./read-exif.ts";

export interface Position {
  /** Decimal degrees, south and west negative. */
  latitude: number;
  longitude: number;
}

/** The position of the GPS tags when it is whole and on Earth: both halves, each with its hemisphere. 0,0 is one. */
export function positionOf(gps: Tags): Position | null {
  let latitude = degrees(gps.get("GPSLatitude"), gps.get("GPSLatitudeRef"), "N", "S", 90);
  let longitude = degrees(gps.get("GPSLongitude"), gps.get("GPSLongitudeRef"), "E", "W", 180);
  return latitude === null || longitude === null ? null : { latitude, longitude };
}

function degrees(value: Json | undefined, ref: Json | undefined, plus: string, minus: string, most: number) {
  let hemisphere = typeof ref === "string" ? ref.trim().charAt(0).toUpperCase() : "";
  if (hemisphere !== plus && hemisphere !== minus) return null;
  // Whole degrees, minutes, seconds; some write fewer numbers, or no seconds as 0/0.
  let [whole, minutes = 0, seconds = 0] = Array.isArray(value) ? value : [value];
  seconds ??= 0;
  if (typeof whole !== "number" || typeof minutes !== "number" || typeof seconds !== "number") return null;
  let sum = whole + minutes / 60 + seconds / 3600;
  if (!(Math.abs(sum) <= most)) return null;
  return tidyDegrees(hemisphere === minus ? -sum : sum);
}

/** To a tenth of a millimetre, without what dividing leaves behind it (151.20000000000002); the equator is 0 and not -0. */
export function tidyDegrees(angle: number): number {
  return Math.round(angle * 1e9) / 1e9 + 0;
}
