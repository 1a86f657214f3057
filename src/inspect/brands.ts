import { hasAscii, latin1, viewOf } from "./bytes.ts";
import type { Recognised } from "./media-type.ts";

const maxBrands = 64;
/** Where a program that keeps its files in SQLite writes whose they are. */
const applicationIdAt = 68;
/** Extensions of one format; the name says which part or what is in it. */
const VARIANTS: Record<string, string[]> = {
  "video/x-ms-asf": ["wmv", "wma"],
  "audio/x-ms-asf": ["wma"],
  "video/mp2t": ["ts", "m2ts", "mts", "m2t"],
};

/** ISO media and Matroska files share their first bytes; the list of brands or the name tells them apart. */
export function refineBrand(head: Uint8Array, found: Recognised, extension: string): Recognised {
  // The first brand names the type, but AVIF is AVIF wherever its brand stands: browsers can show it.
  if (found.type === "image/heif" && brandsOf(head).includes("avif")) {
    return { type: "image/avif", extension: "avif" };
  }
  if (found.type === "video/x-matroska" && extension === "mka") {
    return { type: "audio/x-matroska", extension: "mka" };
  }
  if (VARIANTS[found.type]?.includes(extension)) return { type: found.type, extension };
  // The index of a shapefile begins like the file itself.
  if (found.type === "application/vnd.shp" && extension === "shx") {
    return { type: "application/vnd.shx", extension };
  }
  if (found.type === "application/vnd.sqlite3" && hasAscii(head, "GPKG", applicationIdAt)) {
    return { type: "application/geopackage+sqlite3", extension: "gpkg" };
  }
  if (found.type === "application/ogg") return { type: "audio/ogg", extension: "ogg" };
  // A brand that only says "MP4" is on sound files too; recorders name those .m4a.
  if (found.type === "video/mp4" && ["m4a", "m4b"].includes(extension)) {
    return hasAscii(head, "ftyp", 4) ? { type: "audio/mp4", extension } : found;
  }
  return found;
}

function brandsOf(head: Uint8Array): string[] {
  let view = viewOf(head);
  let size = view.byteLength >= 16 ? Math.min(view.getUint32(0), view.byteLength, 16 + 4 * maxBrands) : 0;
  let brands: string[] = [];
  for (let at = 16; at + 4 <= size; at += 4) brands.push(latin1(view, at, 4));
  return brands;
}
