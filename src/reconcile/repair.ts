import type { Clock } from "../clock.ts";
import { toAppError } from "../errors.ts";
import type { Marks } from "../marks.ts";
import type { FileRepository } from "../record/file-repository.ts";
import type { RemovedRows } from "../state/removed-rows.ts";
import { quarantineKey } from "../store/key-kinds.ts";
import type { Storage } from "../store/storage.ts";
import type { Finding, Outcome } from "./finding.ts";
import { createQueue } from "./limited.ts";

export interface RepairDeps {
  storage: Storage;
  /** Empty or ending with a slash. */
  prefix: string;
  marks: Pick<Marks, "link">;
  repository: Pick<FileRepository, "get" | "finishDelete">;
  removedRows: RemovedRows;
  clock: Clock;
  /** Removes what else was made of a file whose row is taken out. */
  forget: (uid: string) => Promise<void>;
}

/** Puts one finding right. Never rejects for what storage or a database says: that is the outcome. */
export type Repair = (finding: Finding) => Promise<Outcome>;

const nothing: Outcome = { action: "none", message: "" };

/** For the process that has the data folder to itself. */
export function createRepair(deps: RepairDeps): Repair {
  let { storage, prefix, marks, repository, removedRows, clock, forget } = deps;
  // Rows that share an object must not look for it while it is being brought back for another.
  let oneByOne = createQueue();

  async function quarantine({ key }: Finding): Promise<Outcome> {
    let to = quarantineKey(prefix, key);
    await storage.move(key, to);
    return { action: "quarantined", message: `moved to ${to}`, quarantine: 1 };
  }

  async function restoreOrRemove(finding: Finding): Promise<Outcome> {
    let { key, file_id, detail } = finding;
    let isHere = finding.storage === storage.name && finding.bucket === storage.bucket;
    if (isHere && key.startsWith(prefix)) {
      let kept = quarantineKey(prefix, key);
      if (await storage.head(key)) return { action: "brought_back", message: "it is there again" };
      if (await storage.head(kept)) {
        await storage.move(kept, key);
        let message = `its object was brought back from ${kept}`;
        return { action: "brought_back", message, quarantine: -1 };
      }
    }
    let row = file_id === undefined ? null : await repository.get(file_id, { alsoHidden: true });
    if (!row) return { action: "row_removed", message: "its row is gone already" };
    // First there, then here: a crash between the two leaves it in both, and the next repair goes on.
    await removedRows.add(row, detail, clock.nowMs());
    await repository.finishDelete(row.id);
    await forget(row.uid);
    return { action: "row_removed", message: "its row was moved to removed_rows in internal/state.db" };
  }

  async function abort({ key, upload_id }: Finding): Promise<Outcome> {
    await storage.abortMultipart(key, upload_id ?? "");
    return { action: "aborted", message: "it was ended and its parts are gone" };
  }

  async function mark({ uid, key }: Finding): Promise<Outcome> {
    let row = await repository.get(uid ?? "");
    if (!row) return nothing;
    await marks.link(row);
    return { action: "mark_written", message: `${key} was written` };
  }

  async function act(finding: Finding): Promise<Outcome> {
    switch (finding.kind) {
      case "orphan_object":
      case "stale_mark":
        return quarantine(finding);
      case "missing_object":
        return oneByOne(() => restoreOrRemove(finding));
      case "unfinished_upload":
        return abort(finding);
      case "missing_mark":
        return mark(finding);
      case "stale_intent":
        return { action: "failed", message: "storage gave no answer to recovery; the server tries it again" };
      case "size_differs":
      case "checksum_differs":
        return { action: "none", message: "nothing was changed: a person has to look" };
      case "foreign_object":
        return nothing;
    }
  }

  return async function repair(finding) {
    try {
      return await act(finding);
    } catch (thrown) {
      return { action: "failed", message: toAppError(thrown).message };
    }
  };
}
