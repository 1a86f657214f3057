import { kindOf } from "./kind-of.ts";

/** Names under which senders and tables know the types of the catalog. */
const ALIASES: Record<string, string> = {
  "application/bzip2": "application/x-bzip2",
  "application/csv": "text/csv",
  "application/ecmascript": "text/javascript",
  "application/javascript": "text/javascript",
  "application/x-javascript": "text/javascript",
  "application/vnd.microsoft.icon": "image/vnd.microsoft.icon",
  "application/x-gzip": "application/gzip",
  "application/x-gtar": "application/x-tar",
  "application/x-compressed-tar": "application/gzip",
  "application/x-tgz": "application/gzip",
  "application/tar": "application/x-tar",
  "application/x-mspowerpoint": "application/vnd.ms-powerpoint",
  "application/mspowerpoint": "application/vnd.ms-powerpoint",
  "application/x-msexcel": "application/vnd.ms-excel",
  "application/excel": "application/vnd.ms-excel",
  "application/x-pdf": "application/pdf",
  "application/acrobat": "application/pdf",
  "application/eps": "application/postscript",
  "application/x-eps": "application/postscript",
  "application/x-rar": "application/vnd.rar",
  "application/x-rar-compressed": "application/vnd.rar",
  "application/x-sqlite3": "application/vnd.sqlite3",
  "application/x-yaml": "application/yaml",
  "application/x-zip": "application/zip",
  "application/x-zip-compressed": "application/zip",
  "application/x-dbf": "application/vnd.dbf",
  "application/x-esri-shape": "application/vnd.shp",
  "application/wordperfect": "application/vnd.wordperfect",
  "application/x-msdownload": "application/vnd.microsoft.portable-executable",
  "application/x-dosexec": "application/vnd.microsoft.portable-executable",
  "application/x-msdos-program": "application/vnd.microsoft.portable-executable",
  "application/x-xz-compressed-tar": "application/x-xz",
  "audio/m4a": "audio/mp4",
  "audio/x-m4a": "audio/mp4",
  "audio/x-m4b": "audio/mp4",
  "audio/aacp": "audio/aac",
  "audio/x-aac": "audio/aac",
  "audio/mp3": "audio/mpeg",
  "audio/mpeg3": "audio/mpeg",
  "audio/x-mpeg": "audio/mpeg",
  "audio/opus": "audio/ogg",
  "application/ogg": "audio/ogg",
  "audio/vnd.wave": "audio/wav",
  "audio/wave": "audio/wav",
  "audio/x-wav": "audio/wav",
  "audio/x-flac": "audio/flac",
  "audio/x-aiff": "audio/aiff",
  "audio/x-midi": "audio/midi",
  "audio/webm": "video/webm",
  "audio/3gpp": "video/3gpp",
  "image/apng": "image/png",
  "image/vnd.mozilla.apng": "image/png",
  "image/jpg": "image/jpeg",
  "image/pjpeg": "image/jpeg",
  "image/x-png": "image/png",
  "image/x-ms-bmp": "image/bmp",
  "image/x-bmp": "image/bmp",
  "image/x-windows-bmp": "image/bmp",
  "image/ico": "image/vnd.microsoft.icon",
  "image/x-icon": "image/vnd.microsoft.icon",
  "image/heif": "image/heic",
  "image/heic-sequence": "image/heic",
  "image/heif-sequence": "image/heic",
  "image/svg": "image/svg+xml",
  "image/tif": "image/tiff",
  "image/x-tiff": "image/tiff",
  "image/x-tiff-big": "image/tiff",
  "image/psd": "image/vnd.adobe.photoshop",
  "image/x-photoshop": "image/vnd.adobe.photoshop",
  "application/x-photoshop": "image/vnd.adobe.photoshop",
  "image/dng": "image/x-adobe-dng",
  "text/rtf": "application/rtf",
  "text/xml": "application/xml",
  "text/x-yaml": "application/yaml",
  "text/yaml": "application/yaml",
  "text/json": "application/json",
  "text/x-json": "application/json",
  "video/avi": "video/x-msvideo",
  "video/msvideo": "video/x-msvideo",
  "video/vnd.avi": "video/x-msvideo",
  "video/matroska": "video/x-matroska",
  "video/x-m4v": "video/mp4",
  "video/x-mpeg": "video/mpeg",
  "audio/x-ms-wma": "video/x-ms-asf",
  "audio/x-ms-asf": "video/x-ms-asf",
  "application/vnd.ms-asf": "video/x-ms-asf",
  "video/x-ms-wmv": "video/x-ms-asf",
};
/** Formats that are a ZIP archive or an old Office file inside, for senders that say only that. */
const CONTAINERS = ["application/zip", "application/x-cfb"];
const IN_CONTAINER =
  /^application\/(?:zip|x-cfb|epub\+zip|java-archive|msword|x-msi|x-xpinstall|vnd\.(?:openxmlformats|oasis|ms-|visio|apple\.|android|google-earth))|^model\/3mf$/;
/** What browsers declare by the extension alone: .csv where Excel is installed, .ts for TypeScript. */
const MISNAMED = new Set(["application/vnd.ms-excel text/csv", "video/mp2t text/x-typescript"]);

/** Whether two names may mean the same bytes. */
export function sameType(claimed: string, found: string): boolean {
  let [one, other] = [canonical(claimed), canonical(found)];
  if (one === other) return true;
  if (CONTAINERS.includes(one)) return IN_CONTAINER.test(other);
  // MP4, MOV, M4A and 3GP files are one format, and cameras mix the names.
  if (isIsoMedia(one) && isIsoMedia(other)) return true;
  if (one === "application/xml") return other.endsWith("+xml");
  return (isText(one) && isText(other)) || MISNAMED.has(`${one} ${other}`);
}

function canonical(type: string): string {
  return ALIASES[type] ?? type;
}

function isIsoMedia(type: string): boolean {
  return ["video/mp4", "audio/mp4", "video/quicktime", "video/3gpp", "video/3gpp2"].includes(type);
}

function isText(type: string): boolean {
  return kindOf(type) === "text";
}
