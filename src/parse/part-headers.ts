import { AppError } from "../errors.ts";
import { parseContentDisposition } from "./content-disposition.ts";
import { parseMediaType } from "./media-type.ts";

export interface PartHeaders {
  /** Null for a part that is no file; empty when the sender named it so. Untrusted. */
  filename: string | null;
  declaredType: string | null;
}

const folding = /\r\n[ \t]+/g;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const plainEncodings = ["", "7bit", "8bit", "binary"];

/**
 * Reads the header lines of one part of a form.
 *
 * @param block the lines without the empty one that ends them, as a binary string.
 * @throws AppError `malformed_multipart`
 */
export function parsePartHeaders(block: string): PartHeaders {
  let headers = new Map<string, string>();
  for (let line of block.replace(folding, " ").split("\r\n")) {
    let colon = line.indexOf(":");
    let name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    if (!headerName.test(name)) throw malformed("A part of the form has a broken header.");
    // The first of repeated headers counts, so that nothing inside a part can override what stands before it.
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }

  let disposition = headers.get("content-disposition");
  if (disposition === undefined) throw malformed("A part of the form has no Content-Disposition.");
  let { type, filename } = parseContentDisposition(disposition);
  if (type !== "form-data")
    throw malformed("A part of the form has a Content-Disposition other than form-data.");

  let declaredType = parseMediaType(headers.get("content-type"));
  if (declaredType?.startsWith("multipart/") && filename === null) {
    throw malformed("A part of the form is a form itself (multipart/mixed): send each file as a part.");
  }
  let encoding = headers.get("content-transfer-encoding")?.toLowerCase() ?? "";
  if (!plainEncodings.includes(encoding)) {
    throw malformed("A part of the form has a Content-Transfer-Encoding: send the bytes as they are.");
  }
  return { filename, declaredType };
}

function malformed(message: string): AppError {
  return new AppError("malformed_multipart", message);
}
