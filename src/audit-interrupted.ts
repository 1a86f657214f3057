import { auditFacts } from "./record-upload.ts";
import type { FileRepository } from "./record/file-repository.ts";
import type { Audit } from "./state/audit.ts";
import type { Journal } from "./state/journal.ts";

export interface AuditInterruptedDeps {
  journal: Pick<Journal, "open">;
  repository: Pick<FileRepository, "get">;
  audit: Pick<Audit, "write" | "knows">;
}

/**
 * Writes down what a crash cut off between the catalog's row and the audit log's: an upload that has its row, and a
 * deletion that recovery is going to finish. To be called before recovery closes their intents.
 */
export async function auditInterrupted({ journal, repository, audit }: AuditInterruptedDeps): Promise<void> {
  for (let { kind, uid, by, createdAtMs } of journal.open()) {
    // Written down already: the intent stayed open because storage was away.
    if (!by || audit.knows(kind, uid, createdAtMs)) continue;
    let row = await repository.get(uid);
    if (kind === "delete") {
      let file = row ? { file_id: row.id, filename: row.filename } : {};
      audit.write("delete", by, { ...file, uid, recovered: true });
    } else if (row) {
      audit.write("upload", by, { ...auditFacts(row), recovered: true });
    }
  }
}
