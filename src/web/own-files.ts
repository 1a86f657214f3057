import type { Identity } from "../auth/identity.ts";
import type { FileRecord } from "../domain.ts";
import type { FileRepository } from "../record/file-repository.ts";

/** What of the catalog somebody may know of. */
export type SeenFiles = Pick<FileRepository, "get" | "list" | "iterate">;

export interface OwnFiles {
  /** The catalog as this one sees it: whose files lie in a folder sees nothing outside of it. */
  seenBy(identity: Identity): SeenFiles;
  /** Those of the files that this one may know of; for most that is every one, without a look at the catalog. */
  onlySeen(identity: Identity, idsOrUids: string[]): Promise<{ seen: string[]; unseen: string[] }>;
  /** Notes what somebody with a folder has put into the trash; only that may be had back from there. */
  noteTrashed(identity: Identity, fileIds: readonly number[]): void;
  mayRestore(identity: Identity, idOrUid: string): boolean;
}

/** More than can be undone at a time; the oldest are forgotten, and their files go for good. */
const maxTrashed = 100_000;

/** @param keyPrefixOf what the keys of a folder begin with */
export function createOwnFiles(
  repository: FileRepository,
  keyPrefixOf: (folder: string) => string,
): OwnFiles {
  // In memory: after a restart somebody with a folder can't undo what was deleted before it.
  let trashed = new Map<string, string>();

  function seenBy({ folder }: Identity): SeenFiles {
    if (folder === null) return repository;
    let keyPrefix = keyPrefixOf(folder);
    let isSeen = (record: FileRecord | null) => record?.s3_key.startsWith(keyPrefix) ?? false;
    return {
      async get(idOrUid) {
        let record = await repository.get(idOrUid);
        return isSeen(record) ? record : null;
      },
      list: (query) => repository.list({ ...query, keyPrefix }),
      iterate: (query) => repository.iterate({ ...query, keyPrefix }),
    };
  }

  return {
    seenBy,
    async onlySeen(identity, idsOrUids) {
      if (identity.folder === null) return { seen: idsOrUids, unseen: [] };
      let files = seenBy(identity);
      let found = await Promise.all(idsOrUids.map((id) => files.get(id)));
      return {
        seen: idsOrUids.filter((_, nth) => found[nth]),
        unseen: idsOrUids.filter((_, nth) => !found[nth]),
      };
    },
    noteTrashed({ folder }, fileIds) {
      if (folder === null) return;
      for (let id of fileIds) trashed.set(String(id), folder);
      for (let id of trashed.keys()) {
        if (trashed.size <= maxTrashed) break;
        trashed.delete(id);
      }
    },
    mayRestore: ({ folder }, idOrUid) => folder === null || trashed.get(idOrUid) === folder,
  };
}
