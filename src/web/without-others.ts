import { type Identity, isAllowed } from "../auth/identity.ts";
import { AppError } from "../errors.ts";
import type { UploadOutcome } from "../receive-upload.ts";

/** Who sees no files, or only some, is not told which other file has the same bytes. */
export function withoutOthers(outcome: UploadOutcome, identity: Identity): UploadOutcome {
  if (seesAll(identity)) return outcome;
  if (outcome.success) return { ...outcome, duplicateOf: null };
  return { ...outcome, error: withoutOther(outcome.error, identity) };
}

/** The same for the error alone. */
export function withoutOther(error: AppError, identity: Identity): AppError {
  if (error.details.duplicate_of === undefined || seesAll(identity)) return error;
  let { duplicate_of: _, ...details } = error.details;
  return new AppError(error.code, undefined, { details });
}

function seesAll(identity: Identity): boolean {
  return isAllowed(identity, "view") && identity.folder === null;
}
