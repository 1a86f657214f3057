import type { FileRecord, Requester } from "./domain.ts";
import { AppError } from "./errors.ts";
import type { FileRepository } from "./record/file-repository.ts";
import type { Recovery } from "./recover.ts";
import { type AuditLog, noAudit } from "./state/audit.ts";
import type { Journal, ObjectPlace } from "./state/journal.ts";
import type { Storage } from "./store/storage.ts";

export interface DeleteFileDeps {
  repository: FileRepository;
  journal: Journal;
  recovery: Pick<Recovery, "claim">;
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
  audit?: AuditLog;
}

/**
 * Rejects with `not_found`, or with the storage's error. When storage has refused (`storage_error`), row and object are both
 * still there. When nobody can tell whether the object is gone, the file stays out of sight and recovery goes on with it.
 *
 * @param options.alsoSetAside deletes a file as well that was put out of sight; else it is `not_found`
 * @param options.by who asked for it, when that is still to be written into the audit log
 */
export type DeleteFile = (
  idOrUid: string | number,
  options?: { alsoSetAside?: boolean; by?: Requester },
) => Promise<FileRecord>;

/**
 * Tombstone, object, row. The row is hidden at once; after a crash in between, recovery finishes the deletion. The object
 * goes with the last row that uses it.
 */
export function createDeleteFile(deps: DeleteFileDeps): DeleteFile {
  let { repository, journal, recovery, storageFor, audit = noAudit } = deps;
  return async function deleteFile(idOrUid, { by, ...options } = {}) {
    let deletion = await repository.beginDelete(idOrUid, options);
    if (!deletion) throw new AppError("not_found", `There is no file ${idOrUid}.`);
    let { record, removeObject } = deletion;
    let { id, uid, storage, bucket, s3_key: key } = record;
    let release = recovery.claim(uid);
    let mayBeGone = false;
    try {
      let holder = storageFor(record);
      await journal.beginDelete({ uid, fileId: id, storage, bucket, key, ...(by && { by }) });
      mayBeGone = true;
      if (removeObject) await holder.delete(key);
      await repository.finishDelete(id);
      // Together with the close, as with uploads.
      if (by) audit.write("delete", by, { file_id: id, uid, filename: record.filename }, "later");
      journal.closeDelete(uid);
    } catch (error) {
      if (!mayBeGone || isRefusal(error)) {
        journal.closeDelete(uid);
        await repository.cancelDelete(id);
      }
      throw error;
    } finally {
      release();
    }
    return record;
  };
}

/** A definite no of the storage: the object is where it was. */
export function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.code === "storage_error";
}
