import { createHeadTail, defaultHeadBytes } from "../inspect/head-tail.ts";
import { detectMediaType } from "../inspect/media-type.ts";
import type { Policy } from "../inspect/policy.ts";
import type { Journal } from "../state/journal.ts";
import type { ResumableTable, ResumableUpload, Verdict } from "../state/resumable-table.ts";
import { keyPrefixOf, objectKey, userMetadataOf } from "../store/keys.ts";
import type { ObjectToMake } from "../store/storage.ts";

/** What is read of a file before anybody says what it is. */
export const headBytes = defaultHeadBytes;

export interface VerdictDeps {
  table: ResumableTable;
  journal: Journal;
  policy: Policy;
  s3Prefix: string;
}

/**
 * Finds out what a file is, and refuses it or gives it its key. From here on storage may be used: the intent is open.
 * @throws AppError type_not_allowed, type_mismatch
 */
export async function reachVerdict(
  upload: ResumableUpload,
  head: Uint8Array,
  isWhole: boolean,
  { table, journal, policy, s3Prefix }: VerdictDeps,
): Promise<Verdict> {
  let { uid, filename, declaredType, storage, bucket, folder, by, createdAtMs } = upload;
  let media = await detectMediaType(head, isWhole, filename);
  let mismatch = policy.checkType(media, filename, declaredType, isWhole && head.length === 0);
  let prefix = keyPrefixOf(s3Prefix, folder);
  let key = objectKey({ prefix, uid, extension: media.extension, createdAtMs });
  await journal.beginUpload({ uid, storage, bucket, key, ...(by && { by }) });
  let verdict = { key, media, mismatch };
  await table.decide(uid, { verdict, head });
  return verdict;
}

export function objectOf(upload: ResumableUpload, { key, media }: Verdict): ObjectToMake {
  let { uid, filename } = upload;
  let userMetadata = userMetadataOf({ uid, filename, createdAt: createdAtOf(upload) });
  return { key, contentType: media.contentType, userMetadata };
}

/** ISO 8601, UTC. */
export function createdAtOf({ createdAtMs }: ResumableUpload): string {
  return new Date(createdAtMs).toISOString();
}

/** The first bytes of a file: those that are held from earlier requests, and then this one's. */
export function createHead(upload: ResumableUpload, table: ResumableTable) {
  let held = table.held(upload);
  let wanted = Math.max(0, headBytes - upload.offsetBytes);
  let fresh = createHeadTail({ headBytes: wanted, tailBytes: 0 });
  return {
    push: (chunk: Uint8Array) => fresh.push(chunk),
    get isFull() {
      return fresh.headIsFull;
    },
    bytes(): Uint8Array {
      if (held.byteLength === 0) return fresh.head();
      let before = new Uint8Array(Math.min(headBytes, held.byteLength));
      held.readInto(before, 0);
      return Buffer.concat([before, fresh.head()]);
    },
  };
}
