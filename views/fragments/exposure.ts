import type { Json } from "../props.ts";

/** `1/160 s · f/7.1 · ISO 100 · 135 mm`, of what EXIF tells; "" when it tells nothing of it. */
export function exposureOf(exif: Json | undefined): string {
  if (typeof exif !== "object" || exif === null || Array.isArray(exif)) return "";
  let numberOf = (name: string) => {
    let value = exif[name];
    return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : null;
  };
  let seconds = numberOf("ExposureTime");
  let aperture = numberOf("FNumber");
  let speed = numberOf("ISO");
  let focal = numberOf("FocalLength");
  return [
    seconds === null ? "" : shutter(seconds),
    aperture === null ? "" : `f/${short(aperture)}`,
    speed === null ? "" : `ISO ${short(speed)}`,
    focal === null ? "" : `${short(focal)} mm`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** As it is written on cameras: a fraction below a third of a second. */
function shutter(seconds: number): string {
  return seconds < 0.3 ? `1/${Math.round(1 / seconds)} s` : `${short(seconds)} s`;
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** The lens by the names that EXIF has for it; "" for none. */
export function lensOf(exif: Json | undefined): string {
  if (typeof exif !== "object" || exif === null || Array.isArray(exif)) return "";
  let parts = [exif["LensMake"], exif["LensModel"] ?? exif["Lens"]];
  return parts.filter((part) => typeof part === "string" && part !== "").join(" ");
}
