import type { FileRecord } from "./domain.ts";
import { AppError, isRefusal } from "./errors.ts";
import type { FileRepository } from "./record/file-repository.ts";
import type { Recovery } from "./recover.ts";
import type { Journal, ObjectPlace } from "./state/journal.ts";
import type { Storage } from "./store/storage.ts";

export interface DeleteFileDeps {
  repository: FileRepository;
  journal: Journal;
  recovery: Pick<Recovery, "claim">;
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
}

/**
 * Rejects with `not_found`, or with the storage's error. When storage has refused (`storage_error`), row and object are both
 * still there. When nobody can tell whether the object is gone, the file stays out of sight and recovery goes on with it.
 *
 * @param options.alsoSetAside deletes a file as well that was put out of sight; else it is `not_found`
 */
export type DeleteFile = (
  idOrUid: string | number,
  options?: { alsoSetAside?: boolean },
) => Promise<FileRecord>;

/**
 * Tombstone, object, row. The row is hidden at once; after a crash in between, recovery finishes the deletion. The object
 * goes with the last row that uses it.
 */
export function createDeleteFile({ repository, journal, recovery, storageFor }: DeleteFileDeps): DeleteFile {
  return async function deleteFile(idOrUid, options = {}) {
    let deletion = await repository.beginDelete(idOrUid, options);
    if (!deletion) throw new AppError("not_found", `There is no file ${idOrUid}.`);
    let { record, removeObject } = deletion;
    let { id, uid, storage, bucket, s3_key: key } = record;
    let release = recovery.claim(uid);
    let mayBeGone = false;
    try {
      let holder = storageFor(record);
      await journal.beginDelete({ uid, fileId: id, storage, bucket, key });
      mayBeGone = true;
      if (removeObject) await holder.delete(key);
      await repository.finishDelete(id);
      journal.closeDelete(uid);
    } catch (error) {
      if (!mayBeGone || isRefusal(error)) {
        if (mayBeGone) await journal.cancelDelete(uid);
        else journal.closeDelete(uid);
        await repository.cancelDelete(id);
      }
      throw error;
    } finally {
      release();
    }
    return record;
  };
}
