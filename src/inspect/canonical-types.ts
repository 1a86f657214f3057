import type { Recognised } from "./media-type.ts";

/** file-type's names -> the registered ones, or where there is none, those that browsers and other tools know. */
const CANONICAL: Record<string, string> = {
  "application/eps": "application/postscript",
  "application/vnd.ms-asf": "video/x-ms-asf",
  "application/x-deb": "application/vnd.debian.binary-package",
  "application/x-msdownload": "application/vnd.microsoft.portable-executable",
  "application/x-esri-shape": "application/vnd.shp",
  "application/x-rar-compressed": "application/vnd.rar",
  "application/x-sqlite3": "application/vnd.sqlite3",
  "audio/ape": "audio/x-ape",
  "audio/x-m4a": "audio/mp4",
  "image/x-icon": "image/vnd.microsoft.icon",
  "video/MP1S": "video/mpeg",
  "video/MP2P": "video/mpeg",
  "video/matroska": "video/x-matroska",
  "video/vnd.avi": "video/x-msvideo",
  "video/x-m4v": "video/mp4",
};
const EXTENSIONS: Record<string, string> = { "image/heif": "heif", "image/heif-sequence": "heif" };

/** The one name by which the catalog knows a type that file-type found. */
export function canonicalType(mime: string, extension: string): Recognised {
  let name = mime.split(";", 1)[0] ?? mime;
  let type = (CANONICAL[name] ?? name).toLowerCase();
  // It calls files of compress "Z", as they do themselves.
  return { type, extension: EXTENSIONS[type] ?? extension.toLowerCase() };
}
