import type { AppError } from "../errors.ts";
import type { UploadOutcome } from "../receive-upload.ts";
import { publicError } from "./error-response.ts";
import type { PublicError } from "./error-response.ts";
import { fileJson } from "./file-json.ts";
import type { FileJson } from "./file-json.ts";
import type { Links } from "./links.ts";

interface TakenFile {
  success: true;
  file_id: number;
  url: string;
  file: FileJson;
  duplicate_of?: number;
}

type FileAnswer = TakenFile | { success: false; filename: string; error: PublicError };

export type UploadAnswer =
  { status: 201 | 207; body: TakenFile & { files: FileAnswer[] } } | { error: AppError; files: FileAnswer[] };

/**
 * What an upload request is told. All files taken: 201. Some: 207, still a success, whose `files` tell about each. In
 * both the first file that was taken fills the top level. None: the first file's failure is the request's.
 */
export function uploadAnswer(outcomes: UploadOutcome[], links: Links): UploadAnswer {
  let files = outcomes.map((outcome) => fileAnswer(outcome, links));
  let failed = outcomes.find((outcome) => !outcome.success);
  let taken = files.find((file) => file.success);
  if (taken) return { status: failed ? 207 : 201, body: { ...taken, files } };
  if (!failed) throw new Error("an upload had no outcome");
  return { error: withName(failed), files };
}

function fileAnswer(outcome: UploadOutcome, links: Links): FileAnswer {
  if (!outcome.success) {
    return { success: false, filename: outcome.filename, error: publicError(withName(outcome)) };
  }
  let file = fileJson(outcome.record, links);
  let duplicate = outcome.duplicateOf === null ? {} : { duplicate_of: outcome.duplicateOf };
  return { success: true, file_id: file.id, url: file.url, file, ...duplicate };
}

function withName({ error, filename }: { error: AppError; filename: string }): AppError {
  return error.with({ filename });
}
