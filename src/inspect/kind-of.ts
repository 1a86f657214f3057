import type { FileKind } from "../domain.ts";

const DOCUMENTS = new Set([
  "application/pdf",
  "application/rtf",
  "application/msword",
  "application/epub+zip",
  "application/postscript",
  "application/x-cfb",
  "application/x-mobipocket-ebook",
  "application/x-indesign",
  "application/vnd.lotus-1-2-3",
  "application/vnd.quark.quarkxpress",
  "application/vnd.visio",
  "application/vnd.wordperfect",
  "application/x-mswrite",
  "application/vnd.ms-outlook",
  "application/vnd.adobe.indesign-idml-package",
  "application/onenote",
  "application/vnd.ms-htmlhelp",
  "image/vnd.djvu",
]);
const DOCUMENT_FAMILIES =
  /^application\/vnd\.(openxmlformats-officedocument|oasis\.opendocument|ms-(excel|powerpoint|word|project|publisher|visio)|apple\.(pages|numbers|keynote))/;
const ARCHIVES = new Set([
  "application/zip",
  "application/gzip",
  "application/zstd",
  "application/lzip",
  "application/vnd.rar",
  "application/vnd.ms-cab-compressed",
  "application/vnd.debian.binary-package",
  "application/java-archive",
  "application/warc",
  "application/x-ia-arc",
  "application/x-qemu-disk",
  "application/x-stuffit",
  "application/x-vdi-disk",
  "application/x-vhdx-disk",
  "application/x-vmdk-disk",
  "application/x-xar",
  "application/x-7z-compressed",
  "application/x-ace-compressed",
  "application/x-apple-diskimage",
  "application/x-arj",
  "application/x-bzip2",
  "application/x-compress",
  "application/x-cpio",
  "application/x-iso9660-image",
  "application/x-lz4",
  "application/x-lzma",
  "application/x-lzop",
  "application/x-ms-wim",
  "application/vnd.android.package-archive",
  "application/vnd.google-earth.kmz",
  "application/x-lzh-compressed",
  "application/x-rpm",
  "application/x-tar",
  "application/x-unix-archive",
  "application/x-xz",
]);
/** Text under names that don't begin with `text/`. */
const TEXTS = new Set([
  "application/json",
  "application/xml",
  "application/yaml",
  "application/toml",
  "application/sql",
  "application/mbox",
  "application/n-quads",
  "application/n-triples",
  "application/x-ndjson",
  "application/x-subrip",
  "application/x-tex",
  "application/x-ms-regedit",
  "application/pgp-encrypted",
  "message/rfc822",
]);

/** What people call a file of this media type. */
export function kindOf(contentType: string): FileKind {
  if (DOCUMENTS.has(contentType) || DOCUMENT_FAMILIES.test(contentType)) return "document";
  if (ARCHIVES.has(contentType)) return "archive";
  if (TEXTS.has(contentType)) return "text";
  let family = contentType.split("/", 1)[0];
  if (family === "image" || family === "video" || family === "audio" || family === "text") return family;
  if (contentType === "application/ogg") return "audio";
  if (contentType === "application/mxf" || contentType === "application/vnd.rn-realmedia") return "video";
  if (/\+(xml|json)$/.test(contentType)) return "text";
  return "other";
}
