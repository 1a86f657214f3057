import { latin1, viewOf } from "./bytes.ts";
import type { Recognised } from "./media-type.ts";

const entryBytes = 128;
const maxSectorBytes = 4096;

/** Name of a stream in the directory of a compound file -> what writes it. */
const BY_STREAM: [RegExp, string, string][] = [
  [/^WordDocument$/, "application/msword", "doc"],
  [/^(?:Workbook|Book)$/, "application/vnd.ms-excel", "xls"],
  [/^PowerPoint Document$/, "application/vnd.ms-powerpoint", "ppt"],
  [/^VisioDocument$/, "application/vnd.visio", "vsd"],
  [/^Quill$/, "application/vnd.ms-publisher", "pub"],
  [/^__(?:substg1|properties_version1)/, "application/vnd.ms-outlook", "msg"],
];
const BY_EXTENSION: Record<string, string> = {
  doc: "application/msword",
  dot: "application/msword",
  xls: "application/vnd.ms-excel",
  xlt: "application/vnd.ms-excel",
  ppt: "application/vnd.ms-powerpoint",
  pps: "application/vnd.ms-powerpoint",
  vsd: "application/vnd.visio",
  pub: "application/vnd.ms-publisher",
  mpp: "application/vnd.ms-project",
  msg: "application/vnd.ms-outlook",
  msi: "application/x-msi",
};

/** Old Office files, by the names in the first sector of their directory, else (it may be far away) by the extension. */
export function compoundFileType(head: Uint8Array, extension: string): Recognised {
  let names = streamNames(head);
  for (let [pattern, type, usual] of BY_STREAM) {
    if (names.some((name) => pattern.test(name))) return { type, extension: usual };
  }
  let named = BY_EXTENSION[extension];
  return named ? { type: named, extension } : { type: "application/x-cfb", extension: "cfb" };
}

function streamNames(head: Uint8Array): string[] {
  let view = viewOf(head);
  if (view.byteLength < 512) return [];
  let sectorBytes = 2 ** view.getUint16(30, true);
  if (sectorBytes < 512 || sectorBytes > maxSectorBytes) return [];
  let start = (view.getUint32(48, true) + 1) * sectorBytes;
  let names: string[] = [];
  for (let at = start; at + entryBytes <= Math.min(start + sectorBytes, view.byteLength); at += entryBytes) {
    let nameBytes = Math.min(64, view.getUint16(at + 64, true));
    names.push(latin1(view, at, nameBytes).replaceAll("\0", ""));
  }
  return names;
}
