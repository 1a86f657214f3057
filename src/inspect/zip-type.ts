import { hasAscii, latin1, viewOf } from "./bytes.ts";
import type { Recognised } from "./media-type.ts";

const office = "application/vnd.openxmlformats-officedocument.";
/** Of the local headers that are looked at. */
const maxEntries = 200;
const maxNameBytes = 256;

/** Folder that only one kind of Office file has. */
const FOLDERS: [string, string, string][] = [
  ["word/", `${office}wordprocessingml.document`, "docx"],
  ["xl/", `${office}spreadsheetml.sheet`, "xlsx"],
  ["ppt/", `${office}presentationml.presentation`, "pptx"],
];
/** What such a file may be by its name, when its first entries only show that it is an Office file. */
const BY_EXTENSION: Record<string, string> = {
  docx: `${office}wordprocessingml.document`,
  xlsx: `${office}spreadsheetml.sheet`,
  pptx: `${office}presentationml.presentation`,
};
/** What the first entry of a file may say that file-type does not know. */
const BY_MIMETYPE: Record<string, string> = {
  "application/vnd.oasis.opendocument.base": "odb",
  "application/vnd.oasis.opendocument.database": "odb",
  "application/vnd.oasis.opendocument.chart": "odc",
  "application/vnd.oasis.opendocument.formula": "odf",
  "application/vnd.oasis.opendocument.image": "odi",
  "application/vnd.oasis.opendocument.text-master": "odm",
  "application/vnd.oasis.opendocument.text-web": "oth",
  "application/vnd.adobe.indesign-idml-package": "idml",
  "application/x-krita": "kra",
  "image/openraster": "ora",
};
const MARKS = ["[Content_Types].xml", "_rels/", "docProps/"];

/**
 * What file-type calls a plain ZIP, because the entry that would tell is behind the head: the names of the entries in the
 * head say whether it is an Office file, and then the first folder or the extension says which.
 */
export function refineZip(head: Uint8Array, extension: string): Recognised {
  let said = mimetypeOf(head);
  let saidExtension = BY_MIMETYPE[said];
  if (saidExtension) return { type: said, extension: saidExtension };
  let names = entryNames(head);
  if (names.some((name) => MARKS.some((mark) => name.startsWith(mark)))) {
    for (let [folder, type, usual] of FOLDERS) {
      if (names.some((name) => name.startsWith(folder)))
        return refineWorkbook(head, { type, extension: usual });
    }
    let named = BY_EXTENSION[extension];
    if (named) return { type: named, extension };
  }
  if (extension === "kmz" && names.some((name) => name.endsWith(".kml"))) {
    return { type: "application/vnd.google-earth.kmz", extension };
  }
  return { type: "application/zip", extension: "zip" };
}

/** The content of a first entry of that name, which is never packed. */
function mimetypeOf(head: Uint8Array): string {
  let view = viewOf(head);
  if (!hasAscii(head, "mimetype", 30) || view.getUint16(26, true) !== 8) return "";
  let length = Math.min(view.getUint32(18, true), maxNameBytes);
  return latin1(view, 38 + view.getUint16(28, true), length).trim();
}

/** A workbook whose parts are no XML; file-type takes it for an .xlsx, which readers of those can't open. */
export function refineWorkbook(head: Uint8Array, found: Recognised): Recognised {
  if (found.type !== `${office}spreadsheetml.sheet` || !entryNames(head).includes("xl/workbook.bin"))
    return found;
  return { type: "application/vnd.ms-excel.sheet.binary.macroenabled.12", extension: "xlsb" };
}

/** Names in local file headers, from the start of the archive. */
function entryNames(head: Uint8Array): string[] {
  let view = viewOf(head);
  let buffer = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  let names: string[] = [];
  let at = 0;
  for (let count = 0; count < maxEntries && at + 30 <= view.byteLength; count++) {
    if (view.getUint32(at) !== 0x504b0304) break;
    let sizeIsLater = (view.getUint16(at + 6, true) & 8) !== 0;
    let nameBytes = view.getUint16(at + 26, true);
    names.push(latin1(view, at + 30, Math.min(nameBytes, maxNameBytes)));
    let content = at + 30 + nameBytes + view.getUint16(at + 28, true);
    at = sizeIsLater ? buffer.indexOf("PK\x03\x04", content) : content + view.getUint32(at + 18, true);
    if (at < 0) break;
  }
  return names;
}
