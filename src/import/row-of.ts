import type { NewFileRecord } from "../domain.ts";
import { toAppError } from "../errors.ts";
import { findMismatch } from "../inspect/mismatch.ts";
import { newRow } from "../new-row.ts";
import type { ObjectPlace } from "../state/journal.ts";
import type { Identity } from "./identity.ts";
import type { Problem } from "./report.ts";
import type { Inspected } from "./stored-object.ts";

/** The row of an object, or one that shares it: what its identity tells and what its bytes are. */
export function rowOf(place: ObjectPlace, identity: Identity, inspected: Inspected): NewFileRecord {
  let { media, facts, sizeBytes, sha256 } = inspected;
  let { uid, filename, declaredType, createdAt } = identity;
  let found = sizeBytes === 0 ? null : findMismatch(media, filename, declaredType);
  return newRow({
    facts,
    media,
    declaredType,
    mismatch: found && { ...found },
    uid,
    filename,
    ...place,
    sizeBytes,
    // One of them is there: an object without a known digest is read as a whole.
    sha256: identity.sha256 ?? sha256 ?? "",
    createdAt,
  });
}

/** Null when nothing is wrong. The row tells what was uploaded, so that a deep comparison will find the difference as well. */
export function damageOf(key: string, identity: Identity, { sha256 }: Inspected): Problem | null {
  if (identity.sha256 === null || sha256 === null || identity.sha256 === sha256) return null;
  return {
    key,
    what: "damaged",
    reason: "its bytes are not those that were uploaded; the row tells the digest of the upload",
  };
}

/** Why an object could not be looked at; "could not look" is told apart from "is not there". */
export function problemOf(key: string, thrown: unknown): Problem {
  let { code, message } = toAppError(thrown);
  // Some servers put U+FFFD into a list for what XML can't hold; the object is there, but its name is not known.
  if (code === "gone" && key.includes("\uFFFD")) {
    return { key, what: "refused", reason: "its key holds what no list can tell: copy it to another key" };
  }
  if (code === "gone") return { key, what: "vanished", reason: "it was there, and is not any more" };
  return { key, what: code === "storage_unavailable" ? "unreachable" : "refused", reason: message };
}
