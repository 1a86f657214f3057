import { AppError } from "../errors.ts";
import type { Policy } from "../inspect/policy.ts";
import type { ResumableUpload } from "../state/resumable-table.ts";
import type { AppendRequest } from "./resumable.ts";

/** What a request says of itself has to fit to what is there; nothing of it is read before. */
export function checkAppend(
  upload: ResumableUpload,
  { offsetBytes, lengthBytes, mostBytes }: Pick<AppendRequest, "offsetBytes" | "lengthBytes" | "mostBytes">,
  { policy, maxFileBytes }: { policy: Pick<Policy, "checkSize">; maxFileBytes: number },
): void {
  if (offsetBytes !== upload.offsetBytes) {
    let stands = `The upload stands at ${upload.offsetBytes}, not at ${offsetBytes}.`;
    throw new AppError("wrong_offset", stands);
  }
  if (lengthBytes !== null && upload.lengthBytes !== null && lengthBytes !== upload.lengthBytes) {
    throw wrongLength("The length of the upload was told already, and it was another one.");
  }
  let length = upload.lengthBytes ?? lengthBytes;
  if (length !== null && length < offsetBytes) {
    throw wrongLength(`The length is less than the ${offsetBytes} bytes that are here.`);
  }
  if (length !== null) policy.checkSize(length, upload.filename);
  let endBytes = offsetBytes + (mostBytes ?? 0);
  let limitBytes = length ?? maxFileBytes;
  if (endBytes <= limitBytes) return;
  throw new AppError("file_too_large", "More bytes were announced than the upload has left.", {
    details: { filename: upload.filename, limit_bytes: limitBytes, actual_bytes: endBytes },
  });
}

function wrongLength(message: string): AppError {
  return new AppError("bad_request", message, { details: { parameter: "Upload-Length" } });
}
