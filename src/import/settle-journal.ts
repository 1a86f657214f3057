import { goneUnlessRefused, isOwner, type Marks } from "../marks.ts";
import type { Intent, Journal, ObjectPlace } from "../state/journal.ts";
import type { TrashTable } from "../state/trash-table.ts";
import type { Storage } from "../store/storage.ts";

export interface SettleDeps {
  journal: Journal;
  trashTable: TrashTable;
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
  marks: Marks;
  /** Uploads in pieces, which go on when the server is started again. */
  goesOn: (uid: string) => boolean;
}

/**
 * Ends what was open when the catalog was lost. Without it nobody can tell an upload that was not acknowledged from one
 * whose row is lost, nor whose object others share; so nothing is removed: a whole object stays and gets its row, a
 * deletion that had begun is kept in mind by a mark, and what waited in the trash, under ids that will be other files',
 * comes back. Can be repeated; rejects when storage can't be reached.
 *
 * @returns how many intents were ended; the journal has to write that down
 */
export async function settleJournal(deps: SettleDeps): Promise<number> {
  let { journal, trashTable, storageFor, marks, goesOn } = deps;
  let intents = journal.open().filter(({ uid }) => !goesOn(uid));
  for (let intent of intents) {
    await settle(intent);
    if (intent.kind === "upload") journal.closeUpload(intent.uid);
    else journal.closeDelete(intent.uid);
  }
  let waiting = trashTable.all().map(({ fileId }) => fileId);
  if (waiting.length > 0) await trashTable.remove(waiting);
  return intents.length;

  async function settle(intent: Intent): Promise<void> {
    if (intent.kind === "upload") {
      let { key, multipartUploadId } = intent;
      if (multipartUploadId !== null) await storageFor(intent).abortMultipart(key, multipartUploadId);
    } else if (isOwner(intent)) {
      // A bucket that can only be read must not keep the catalog from being made: then the file comes back.
      if (await storageFor(intent).head(intent.key)) await goneUnlessRefused(marks, intent);
    } else await marks.clear(intent, true);
  }
}
