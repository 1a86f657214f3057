import { toAppError } from "../errors.ts";
import type { CatalogAudit } from "../record/catalog-audit.ts";
import { kindOfKey, quarantineKey } from "../store/key-kinds.ts";
import type { Storage } from "../store/storage.ts";

export interface QuarantineDeps {
  storage: Storage;
  prefix: string;
  catalog: CatalogAudit;
  isOverdue: (atMs: number) => boolean;
  /** Each object that is gone for good. */
  onRemoved: (key: string, sizeBytes: number) => void;
  onFailed: (key: string, reason: string) => void;
}

/** Removes the objects that have been in quarantine for their time; one that a row names is left to be brought back. */
export async function emptyQuarantine(deps: QuarantineDeps): Promise<void> {
  let { storage, prefix, catalog, isOverdue, onRemoved, onFailed } = deps;
  // What begins with the place of an empty name.
  let folder = quarantineKey(prefix, prefix);
  try {
    for await (let { key, sizeBytes, lastModifiedMs } of storage.list(folder)) {
      let kind = kindOfKey(prefix, key);
      if (kind.kind !== "quarantined" || !isOverdue(lastModifiedMs)) continue;
      try {
        let isNamed = catalog.oldestByKey(storage.name, storage.bucket, kind.key) !== null;
        if (isNamed && !(await storage.head(kind.key))) continue;
        await storage.delete(key);
        onRemoved(key, sizeBytes);
      } catch (error) {
        onFailed(key, toAppError(error).message);
      }
    }
  } catch (error) {
    onFailed(folder, toAppError(error).message);
  }
}
