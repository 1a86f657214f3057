import { AppError } from "../errors.ts";
import { parseFilename } from "./filename.ts";
import { parseMediaType } from "./media-type.ts";
import { decodeText } from "./text.ts";

/** tus: any visible ASCII but the two that separate. */
const keyPattern = /^[!-+\--~]{1,128}$/;
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const maxPairs = 100;
/** A name that nobody has told. */
const defaultFilename = "upload";

/** What tus tells of a file beside its length. */
export interface UploadMetadata {
  /** Safe to show. */
  filename: string;
  declaredType: string | null;
}

/**
 * `Upload-Metadata`: pairs of a key and a value in base64, between commas. The name is in `filename` or `name`, the type in
 * `filetype`, `type` or `contentType`, as the usual clients write them; the other pairs are nobody's business here.
 *
 * @throws AppError `bad_request` for what is no such list, `invalid_filename`
 */
export function parseUploadMetadata(header: string | null): UploadMetadata {
  let pairs = new Map<string, string>();
  for (let pair of header === null || header.trim() === "" ? [] : header.split(",")) {
    let [key = "", value = "", ...rest] = pair.trim().split(" ");
    if (!keyPattern.test(key) || rest.length > 0) throw broken("a pair is no key with a value in base64");
    if (!base64Pattern.test(value)) throw broken(`the value of ${key} is no base64`);
    if (pairs.has(key)) throw broken(`${key} is there twice`);
    if (pairs.size >= maxPairs) throw broken(`there are more than ${maxPairs} pairs`);
    pairs.set(key, decodeText(Buffer.from(value, "base64")));
  }
  let first = (...keys: string[]) => keys.map((key) => pairs.get(key)).find((value) => value);
  return {
    filename: parseFilename(first("filename", "name") ?? defaultFilename),
    declaredType: parseMediaType(first("filetype", "type", "contentType") ?? null),
  };
}

function broken(what: string): AppError {
  return new AppError("bad_request", `Upload-Metadata can't be read: ${what}.`, {
    details: { parameter: "Upload-Metadata" },
  });
}
