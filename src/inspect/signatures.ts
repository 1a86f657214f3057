import { hasAscii, viewOf } from "./bytes.ts";
import type { Recognised } from "./media-type.ts";

const BMP_HEADER_SIZES = new Set([12, 16, 40, 52, 56, 64, 108, 124]);
const maxIconPictures = 256;
/** dBase III with and without notes, IV, FoxPro. */
const DBF_VERSIONS = new Set([0x03, 0x83, 0x8b, 0x30, 0x31, 0xf5]);
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
  ["RF64", 0, "audio/wav", "wav"],
  ["BW64", 0, "audio/wav", "wav"],
  ["riff\x2e\x91\xcf\x11", 0, "audio/x-w64", "w64"],
  [".snd", 0, "audio/basic", "au"],
  ["\x7f\xfe\x80\x01", 0, "audio/vnd.dts", "dts"],
  ["DKIF", 0, "video/x-ivf", "ivf"],
  ["SIMPLE  =", 0, "image/fits", "fits"],
  ["\x89HDF\r\n\x1a\n", 0, "application/x-hdf5", "h5"],
  ["CDF\x01", 0, "application/x-netcdf", "nc"],
  ["CDF\x02", 0, "application/x-netcdf", "nc"],
  ["CDF\x05", 0, "application/x-netcdf", "nc"],
  ["\x93NUMPY", 0, "application/x-npy", "npy"],
  ["MATLAB 5.0 MAT-file", 0, "application/x-matlab-data", "mat"],
  ["GRIB", 0, "application/x-grib", "grib"],
  ["LASF", 0, "application/vnd.las", "las"],
  ["<stata_dta>", 0, "application/x-stata-dta", "dta"],
  ["bplist00", 0, "application/x-bplist", "plist"],
  ["\x4d\x3c\x2b\x1a", 8, "application/x-pcapng", "pcapng"],
  ["\x1a\x2b\x3c\x4d", 8, "application/x-pcapng", "pcapng"],
  ["\x76\x2f\x31\x01", 0, "image/x-exr", "exr"],
  ["DDS ", 0, "image/vnd.ms-dds", "dds"],
  ["#?RADIANCE\n", 0, "image/vnd.radiance", "hdr"],
  ["SDPX", 0, "image/x-dpx", "dpx"],
  ["XPDS", 0, "image/x-dpx", "dpx"],
  ["\x0a\x05\x01\x08", 0, "image/vnd.zbrush.pcx", "pcx"],
  ["\x8aMNG\r\n", 0, "video/x-mng", "mng"],
  ["\x8bJNG\r\n", 0, "image/x-jng", "jng"],
  ["P4\n", 0, "image/x-portable-bitmap", "pbm"],
  ["P5\n", 0, "image/x-portable-graymap", "pgm"],
  ["P6\n", 0, "image/x-portable-pixmap", "ppm"],
  ["AT&TFORM", 0, "image/vnd.djvu", "djvu"],
  ["\xd7\xcd\xc6\x9a", 0, "image/wmf", "wmf"],
  [" EMF", 40, "image/emf", "emf"],
  ["070701", 0, "application/x-cpio", "cpio"],
  ["070702", 0, "application/x-cpio", "cpio"],
  ["070707", 0, "application/x-cpio", "cpio"],
  ["\xc7\x71", 0, "application/x-cpio", "cpio"],
  ["MSWIM\0\0\0", 0, "application/x-ms-wim", "wim"],
  ["\x89LZO\0\r\n", 0, "application/x-lzop", "lzo"],
  ["]\0\0\x80\0\xff\xff\xff", 0, "application/x-lzma", "lzma"],
  ["\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", 0, "application/onenote", "one"],
  ["WARC/", 0, "application/warc", "warc"],
  ["filedesc://", 0, "application/x-ia-arc", "arc"],
  ["\xffWPC", 0, "application/vnd.wordperfect", "wpd"],
  ["\0\0\x02\0\x06\x04\x06\0", 0, "application/vnd.lotus-1-2-3", "wk1"],
  ["\0\0\x1a\0\0\x10\x04\0", 0, "application/vnd.lotus-1-2-3", "wk3"],
  ["\x31\xbe\0\0", 0, "application/x-mswrite", "wri"],
  ["\xdb\xa5\x2d\0\0\0", 0, "application/msword", "doc"],
  // Excel 2, 3 and 4, before there were compound files.
  ["\x09\0\x04\0\x07\0\x10\0", 0, "application/vnd.ms-excel", "xls"],
  ["\x09\x02\x06\0\0\0\x10\0", 0, "application/vnd.ms-excel", "xls"],
  ["\x09\x04\x06\0\0\0\x10\0", 0, "application/vnd.ms-excel", "xls"],
  ["MMXPR3", 2, "application/vnd.quark.quarkxpress", "qxd"],
  ["IIXPR3", 2, "application/vnd.quark.quarkxpress", "qxd"],
  ["\x1f\x07\0\x3f", 0, "video/x-dv", "dv"],
  ["\x1f\x07\0\xbf", 0, "video/x-dv", "dv"],
  ["STL25.01", 3, "application/x-ebu-stl", "stl"],
  ["STL30.01", 3, "application/x-ebu-stl", "stl"],
  ["HEAPCCDR", 6, "image/x-canon-crw", "crw"],
  ["FOVb", 0, "image/x-sigma-x3f", "x3f"],
  ["\x0e\x03\x13\x01", 0, "application/x-hdf", "hdf"],
  ["SIT!", 0, "application/x-stuffit", "sit"],
  ["StuffIt", 0, "application/x-stuffit", "sit"],
  ["xar!", 0, "application/x-xar", "xar"],
  ["QFI\xfb", 0, "application/x-qemu-disk", "qcow2"],
  ["KDMV", 0, "application/x-vmdk-disk", "vmdk"],
  ["vhdxfile", 0, "application/x-vhdx-disk", "vhdx"],
  ["\x7f\x10\xda\xbe", 64, "application/x-vdi-disk", "vdi"],
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
  // A cursor or icon without pictures is a Targa picture, which has no signature; one of too many an old spreadsheet.
  let isIconLike = hasAscii(head, "\0\0\x02\0") || hasAscii(head, "\0\0\x01\0");
  let pictures = isIconLike && head.byteLength >= 6 ? viewOf(head).getUint16(4, true) : 0;
  if (isIconLike && (pictures === 0 || pictures > maxIconPictures))
    return extension === "tga" ? { type: "image/x-tga", extension } : "unlike";
  if (extension === "dbf" && isTable(head)) return { type: "application/vnd.dbf", extension };
  // The start of any zlib stream; a disk image only by its name.
  return hasAscii(head, "\x78\x01") && extension !== "dmg" ? "unlike" : null;
}

/** A dBase table: a version, the day of the last change, and the length of its header. */
function isTable(head: Uint8Array): boolean {
  let [version = 0, , month = 0, day = 0] = head;
  let isDay = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  return DBF_VERSIONS.has(version) && isDay && head.byteLength > 32 && viewOf(head).getUint16(8, true) > 32;
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
