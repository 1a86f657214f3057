import { AppError } from "../../errors.ts";

const noRoom = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** A later try may find them gone. */
const passing = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY", "EINTR", "ENOMEM", "ESTALE", "ETIMEDOUT"]);

/** What the file system said, as an AppError; `doing` completes "The folder for objects can't be …". */
export function toStorageError(thrown: unknown, doing: string): AppError {
  if (thrown instanceof AppError) return thrown;
  let code = codeOf(thrown);
  let sentence = `The folder for objects can't be ${doing}: ${thrown instanceof Error ? thrown.message : String(thrown)}.`;
  if (noRoom.has(code)) return new AppError("disk_full", sentence, { cause: thrown });
  return new AppError(passing.has(code) ? "storage_unavailable" : "storage_error", sentence, {
    cause: thrown,
  });
}

/** Waits for the file system and translates its failure; `doing` as in `toStorageError`. */
export async function onDisk<T>(doing: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toStorageError(error, doing);
  }
}

/** True for "there is no file of that name"; no other failure may be taken for it. */
export function isMissing(thrown: unknown): boolean {
  let code = codeOf(thrown);
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR";
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}
