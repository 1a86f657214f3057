import { kindOfKey, marksPrefix, prefixOfKey } from "../store/key-kinds.ts";
import type { Storage } from "../store/storage.ts";

/** The rows that were deleted while others shared their objects. */
export interface GoneMarks {
  /** Whether a rebuild must not bring this row back. Rejects as a listing does. */
  has(row: { uid: string; key: string }): Promise<boolean>;
}

/** Lists the marks of a prefix when its first object is asked for; their names suffice. */
export function createGoneMarks(storage: Pick<Storage, "list">, s3Prefix: string): GoneMarks {
  let byPrefix = new Map<string, Promise<Set<string>>>();

  async function read(prefix: string): Promise<Set<string>> {
    let uids = new Set<string>();
    for await (let { key } of storage.list(marksPrefix(prefix))) {
      let kind = kindOfKey(prefix, key);
      if (kind.kind === "gone") uids.add(kind.uid);
    }
    return uids;
  }

  return {
    async has({ uid, key }) {
      let prefix = prefixOfKey(key) ?? s3Prefix;
      let found = byPrefix.get(prefix) ?? read(prefix);
      byPrefix.set(prefix, found);
      return (await found).has(uid);
    },
  };
}
