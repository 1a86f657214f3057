import { hasAscii, viewOf } from "./bytes.ts";
import type { Recognised } from "./media-type.ts";

const BMP_HEADER_SIZES = new Set([12, 16, 40, 52, 56, 64, 108, 124]);
const pdfSearchBytes = 1024;

/** Tried when file-type knows nothing: what it does not know, and what it gives up when the file is cut or large. */
const FALLBACKS: [string, number, string, string][] = [
  ["II+\0", 0, "image/tiff", "tif"],
  ["MM\0+", 0, "image/tiff", "tif"],
  ["IIRO", 0, "image/x-olympus-orf", "orf"],
  ["IIRS", 0, "image/x-olympus-orf", "orf"],
  ["MMOR", 0, "image/x-olympus-orf", "orf"],
  ["IIU\0", 0, "image/x-panasonic-rw2", "rw2"],
  ["\x89PNG\r\n\x1a\n", 0, "image/png", "png"],
  ["ID3", 0, "audio/mpeg", "mp3"],
  ["OggS", 0, "audio/ogg", "ogg"],
  ["PK\x03\x04", 0, "application/zip", "zip"],
  ["SIMPLE  =", 0, "image/fits", "fits"],
  ["\x89HDF\r\n\x1a\n", 0, "application/x-hdf5", "h5"],
  ["CDF\x01", 0, "application/x-netcdf", "nc"],
  ["CDF\x02", 0, "application/x-netcdf", "nc"],
  ["\x93NUMPY", 0, "application/x-npy", "npy"],
  ["P4\n", 0, "image/x-portable-bitmap", "pbm"],
  ["P5\n", 0, "image/x-portable-graymap", "pgm"],
  ["P6\n", 0, "image/x-portable-pixmap", "ppm"],
  ["AT&TFORM", 0, "image/vnd.djvu", "djvu"],
  ["\xd7\xcd\xc6\x9a", 0, "image/wmf", "wmf"],
  [" EMF", 40, "image/emf", "emf"],
  ["\0\x01\0\0Standard Jet DB", 0, "application/x-msaccess", "mdb"],
  ["\0\x01\0\0Standard ACE DB", 0, "application/x-msaccess", "accdb"],
];

/** Types that are settled before file-type is asked; "unlike" when file-type would take the bytes for what they are not. */
export function signatureType(head: Uint8Array, extension: string): Recognised | "unlike" | null {
  // file-type would inflate what is inside.
  if (hasAscii(head, "\x1f\x8b\x08")) return { type: "application/gzip", extension: "gz" };
  // Two letters are no proof of a bitmap.
  let isBitmap = head.byteLength >= 18 && BMP_HEADER_SIZES.has(viewOf(head).getUint32(14, true));
  if (hasAscii(head, "BM") && !isBitmap) return "unlike";
  // A cursor or icon without pictures is a Targa picture, which has no signature.
  if (hasAscii(head, "\0\0\x02\0\0\0") || hasAscii(head, "\0\0\x01\0\0\0")) {
    return extension === "tga" ? { type: "image/x-tga", extension } : "unlike";
  }
  // The start of any zlib stream; a disk image only by its name.
  return hasAscii(head, "\x78\x01") && extension !== "dmg" ? "unlike" : null;
}

/** Types by signatures that file-type does not have or does not take in a cut file. */
export function fallbackType(head: Uint8Array): Recognised | null {
  for (let [signature, offset, type, extension] of FALLBACKS) {
    if (hasAscii(head, signature, offset)) return { type, extension };
  }
  if (hasAscii(head, "\x1a\x45\xdf\xa3")) {
    let isWebm = Buffer.from(head.subarray(0, 64)).includes("webm");
    return isWebm
      ? { type: "video/webm", extension: "webm" }
      : { type: "video/x-matroska", extension: "mkv" };
  }
  // PDF readers take some junk before the header.
  if (Buffer.from(head.subarray(0, pdfSearchBytes)).includes("%PDF-")) {
    return { type: "application/pdf", extension: "pdf" };
  }
  return null;
}
