import type { FileRecord, Requester } from "./domain.ts";
import { AppError, isRefusal } from "./errors.ts";
import { goneUnlessRefused, isOwner, type MarkedRow, markedRow, type Marks } from "./marks.ts";
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
  marks: Marks;
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
 * goes with the last row that uses it; what a rebuild has to know of rows that share one goes into marks.
 */
export function createDeleteFile(deps: DeleteFileDeps): DeleteFile {
  let { repository, journal, recovery, storageFor, marks, audit = noAudit } = deps;

  /** False when the marks are left to recovery: the file itself is deleted, and its intent stays open. */
  async function clearMarks(row: MarkedRow, objectRemoved: boolean): Promise<boolean> {
    // It had no mark, and the object has gone with it.
    if (isOwner(row) && objectRemoved) return true;
    try {
      await marks.clear(row, (await repository.countByKey(row.storage, row.bucket, row.key)) > 0);
      return true;
    } catch {
      return false;
    }
  }

  return async function deleteFile(idOrUid, { by, ...options } = {}) {
    let deletion = await repository.beginDelete(idOrUid, options);
    if (!deletion) throw new AppError("not_found", `There is no file ${idOrUid}.`);
    let { record, removeObject } = deletion;
    let row = markedRow(record);
    let { uid, storage, bucket, key } = row;
    let { id } = record;
    let release = recovery.claim(uid);
    let mayBeGone = false;
    try {
      let holder = storageFor(record);
      await journal.beginDelete({ uid, fileId: id, storage, bucket, key, ...(by && { by }) });
      mayBeGone = true;
      let isMarked = true;
      if (removeObject) await holder.delete(key);
      // A refused mark is left to recovery: somebody waits for this deletion, and a rebuild is not at the door.
      else isMarked = await goneUnlessRefused(marks, row);
      await repository.finishDelete(id);
      // Together with the close, as with uploads.
      if (by) audit.write("delete", by, { file_id: id, uid, filename: record.filename }, "later");
      if ((await clearMarks(row, removeObject)) && isMarked) journal.closeDelete(uid);
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
