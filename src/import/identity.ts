import { parseFilename } from "../parse/filename.ts";
import type { ObjectPlace } from "../state/journal.ts";
import { ownUid } from "../store/key-kinds.ts";
import { readUserMetadata } from "../store/keys.ts";

/** Stands where nothing of a name can be shown. */
const namelessFilename = "unnamed";

/** Who an object is, as far as its key and its user metadata tell. */
export interface Identity {
  uid: string;
  filename: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  declaredType: string | null;
  /** As it was at the upload; null where that did not know it yet. */
  sha256: string | null;
  /** False for an object that somebody else has stored: the metadata is not believed then. */
  isOwn: boolean;
}

/** Never throws: anybody may write to a bucket. */
export function identify(
  place: ObjectPlace,
  userMetadata: Record<string, string>,
  lastModifiedMs: number,
): Identity {
  let uid = ownUid(place);
  let told = readUserMetadata(userMetadata);
  let isOwn = told.uid === uid;
  let { filename, createdAt, declaredType, sha256 } = isOwn ? told : nothing;
  return {
    uid,
    filename: shown(filename) ?? shown(place.key) ?? namelessFilename,
    createdAt: aTime(createdAt) ?? new Date(lastModifiedMs).toISOString(),
    declaredType,
    sha256,
    isOwn,
  };
}

/** What the link mark of a row tells; null when it is none of ours. */
export function identifyLink(uid: string, userMetadata: Record<string, string>): Identity | null {
  let told = readUserMetadata(userMetadata);
  let filename = shown(told.filename);
  let createdAt = aTime(told.createdAt);
  if (told.uid !== uid || filename === null || createdAt === null) return null;
  return { uid, filename, createdAt, declaredType: told.declaredType, sha256: null, isOwn: true };
}

const nothing = { filename: null, createdAt: null, declaredType: null, sha256: null };

function shown(name: string | null): string | null {
  try {
    return name === null ? null : parseFilename(name);
  } catch {
    return null;
  }
}

function aTime(text: string | null): string | null {
  return text === null || Number.isNaN(Date.parse(text)) ? null : text;
}
