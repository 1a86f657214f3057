import type { ByteStream, FileRecord, NewFileRecord } from "./domain.ts";
import { AppError, isRefusal, toAppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { ObjectPlace } from "./state/journal.ts";
import { goneMarkKey, linkMarkKey, ownUid, prefixOfKey } from "./store/key-kinds.ts";
import { percentEncodePath, userMetadataOf } from "./store/keys.ts";
import type { Storage } from "./store/storage.ts";
import { SECOND_MS } from "./units.ts";

/** Somebody waits for the answer to an upload or a deletion; recovery has the time to try again. */
const markTimeoutMs = 10 * SECOND_MS;
/** All user metadata of an object may have 2 KB. A longer key is the mark's content instead. */
const maxLinkToChars = 700;
const linkToMetadataName = "link-to";
/** A no that is passing (a policy being changed, a proxy) is over by then: recovery comes by each minute. */
const maxRefusals = 3;

/** A row, or what an intent knows of one. */
export interface MarkedRow extends ObjectPlace {
  uid: string;
}

/**
 * What the bucket has to know so that a lost catalog can be rebuilt where rows share an object. A row that stored its
 * object itself has no mark as long as it is there, and costs no call.
 *
 * Marks are written before a row goes and removed after it has gone, in both cases while an intent is open: so recovery finds
 * what a crash has left out. All calls can be repeated. They reject with `storage_unavailable` or `disk_full` when a later
 * try may work; a no that the storage repeats is only logged, since it must not keep anybody from uploading or deleting.
 */
export interface Marks {
  /** For a row that shares an older row's object. */
  link(row: FileRecord): Promise<void>;
  /**
   * For an upload without a row: it may have shared an object, and been deleted before its mark was there.
   * @param place of the upload's own object
   */
  unlink(uid: string, place: ObjectPlace): Promise<void>;
  /** For a row that goes, or has gone, while others go on using its object; nothing for one that shares. */
  gone(row: MarkedRow): Promise<void>;
  /** For a row that is no more. @param isUsed whether others use its object */
  clear(row: MarkedRow, isUsed: boolean): Promise<void>;
}

export interface MarksDeps {
  storageFor: (place: Pick<ObjectPlace, "storage" | "bucket">) => Storage;
  /** Where the marks of objects are that somebody else has stored; those of our own are under the prefix that they have. */
  s3Prefix: string;
  log: Log;
}

export function createMarks({ storageFor, s3Prefix, log }: MarksDeps): Marks {
  let prefixFor = (key: string) => prefixOfKey(key) ?? s3Prefix;
  /** How often each was refused in a row. */
  let refusals = new Map<string, number>();

  async function put(place: ObjectPlace, key: string, mark: Mark): Promise<void> {
    let content = new TextEncoder().encode(mark.content ?? "");
    await storageFor(place).put({
      key,
      body: only(content),
      declaredBytes: content.byteLength,
      mostBytes: content.byteLength,
      contentType: "text/plain",
      userMetadata: mark.userMetadata,
      sha256: () => new Bun.CryptoHasher("sha256").update(content).digest("hex"),
      onMultipartCreated() {},
      signal: AbortSignal.timeout(markTimeoutMs),
    });
  }

  function remove(place: ObjectPlace, key: string): Promise<void> {
    return unlessRefused("remove", key, () => storageFor(place).delete(key));
  }

  /** What is refused too often is left as it is; before that somebody has to try again later. */
  async function unlessRefused(doing: string, key: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      refusals.delete(key);
    } catch (thrown) {
      if (thrown instanceof DOMException) {
        throw new AppError("storage_unavailable", `${key} could not be stored in time.`, { cause: thrown });
      }
      let error = toAppError(thrown);
      if (error.code !== "storage_error") throw error;
      let count = (refusals.get(key) ?? 0) + 1;
      if (count < maxRefusals) {
        refusals.set(key, count);
        throw new AppError(
          "storage_unavailable",
          `${key} can't be ${doing === "remove" ? "removed" : "written"} yet: ${error.message}`,
          { cause: error },
        );
      }
      refusals.delete(key);
      log.warn({ key, reason: error.message }, `storage refuses to ${doing} a mark: a rebuild will not know`);
    }
  }

  return {
    async link(row) {
      let place = placeOf(row);
      let key = linkMarkKey(prefixFor(place.key), row.uid);
      await unlessRefused("write", key, () => put(place, key, linkMark(row)));
    },
    unlink: (uid, place) => remove(place, linkMarkKey(prefixFor(place.key), uid)),
    async gone({ uid, ...place }) {
      if (!isOwner({ uid, ...place })) return;
      let key = goneMarkKey(prefixFor(place.key), uid);
      await unlessRefused("write", key, () => put(place, key, { userMetadata: { uid } }));
    },
    async clear({ uid, ...place }, isUsed) {
      let prefix = prefixFor(place.key);
      if (!isOwner({ uid, ...place })) await remove(place, linkMarkKey(prefix, uid));
      if (!isUsed) await remove(place, goneMarkKey(prefix, ownUid(place)));
    },
  };
}

/** As `gone`, but false where storage has answered and does not take the mark for now; rejects when it is away. */
export async function goneUnlessRefused(marks: Pick<Marks, "gone">, row: MarkedRow): Promise<boolean> {
  try {
    await marks.gone(row);
    return true;
  } catch (error) {
    if (error instanceof AppError && isRefusal(error.cause)) return false;
    throw error;
  }
}

/** Whether the row has stored its object itself; else it shares another's, whose row may be gone. */
export function isOwner({ uid, ...place }: MarkedRow): boolean {
  return ownUid(place) === uid;
}

export function markedRow({ uid, storage, bucket, s3_key: key }: NewFileRecord): MarkedRow {
  return { uid, storage, bucket, key };
}

function placeOf({ storage, bucket, s3_key: key }: NewFileRecord): ObjectPlace {
  return { storage, bucket, key };
}

interface Mark {
  userMetadata: Record<string, string>;
  content?: string;
}

function linkMark({ uid, filename, created_at: createdAt, s3_key: key, metadata }: FileRecord): Mark {
  let declared = metadata["declared_type"];
  let declaredType = typeof declared === "string" ? declared : null;
  let userMetadata = userMetadataOf({ uid, filename, createdAt, declaredType });
  let linkTo = percentEncodePath(key);
  if (linkTo.length > maxLinkToChars) return { userMetadata, content: key };
  return { userMetadata: { ...userMetadata, [linkToMetadataName]: linkTo } };
}

/** The key that a link mark points to; null when its content has it, or when it is none of ours. */
export function linkedKey(userMetadata: Record<string, string>): string | null {
  let encoded = userMetadata[linkToMetadataName];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

async function* only(chunk: Uint8Array): ByteStream {
  if (chunk.byteLength > 0) yield chunk;
}
