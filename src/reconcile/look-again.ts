import type { AuditRow } from "../record/catalog-audit.ts";
import type { ObjectPlace } from "../state/journal.ts";
import { uidInKey } from "../store/key-kinds.ts";
import { readUserMetadata } from "../store/keys.ts";
import type { ObjectInfo } from "../store/storage.ts";
import type { Audit } from "./audit.ts";
import type { Finding } from "./finding.ts";

/**
 * Second looks. A listing and the rows read after it are of different moments, and a server may be at work: what seems wrong
 * is asked for by its key, in the order that makes the answer sure. An upload goes intent, object, row, end of the intent; a
 * deletion goes intent, object, row, end of the intent. So a thing without its other half is wrong only when no intent names
 * it and it is still there after that was asked.
 */

export function placeOfRow(row: AuditRow): ObjectPlace {
  return { storage: row.storage, bucket: row.bucket, key: row.s3_key };
}

/** What a finding says about a row. */
export function aboutRow(row: AuditRow): Omit<Finding, "kind" | "detail"> {
  let { uid, filename, size_bytes, checksum_sha256 } = row;
  return { ...placeOfRow(row), uid, file_id: row.id, filename, size_bytes, checksum_sha256 };
}

/** The row as it is now, or null when it is gone or uses another object. */
export function rowNow({ catalog }: Audit, row: AuditRow): AuditRow | null {
  let now = catalog.byId(row.id);
  return now?.uid === row.uid && now.s3_key === row.s3_key ? now : null;
}

/**
 * A row whose object was not in the listing, had another size there, or is of a place that is not listed.
 * @returns the object's facts when it is there after all
 */
export async function lookForObject(audit: Audit, row: AuditRow): Promise<ObjectInfo | null> {
  let place = placeOfRow(row);
  let object = await audit.head(place);
  if (object) {
    await compareWithHead(audit, row, object);
    return object;
  }
  if (object === undefined) return null;
  if (audit.isYoung(Date.parse(row.created_at))) audit.totals.young++;
  else if (!audit.intents.name(place) && rowNow(audit, row)) {
    await audit.found({ kind: "missing_object", ...aboutRow(row), detail: "its object is not in storage" });
  }
  return null;
}

async function compareWithHead(audit: Audit, row: AuditRow, object: ObjectInfo): Promise<void> {
  if (object.sizeBytes !== row.size_bytes) return reportSize(audit, row, object);
  let { sha256 } = readUserMetadata(object.userMetadata ?? {});
  if (sha256 !== null && sha256 !== row.checksum_sha256) await reportChecksum(audit, row, object, sha256);
}

async function reportSize(audit: Audit, row: AuditRow, object: ObjectInfo): Promise<void> {
  if (audit.isYoung(object.lastModifiedMs)) audit.totals.young++;
  else if (rowNow(audit, row)) {
    let detail = `the object has ${object.sizeBytes} bytes, the catalog says ${row.size_bytes}`;
    await audit.found({ kind: "size_differs", ...aboutRow(row), found_bytes: object.sizeBytes, detail });
  }
}

export async function reportChecksum(
  audit: Audit,
  row: AuditRow,
  object: ObjectInfo,
  found_sha256: string,
): Promise<void> {
  if (audit.isYoung(object.lastModifiedMs)) audit.totals.young++;
  else if (rowNow(audit, row)) {
    let detail = "the object has the right size, but other bytes than the catalog's SHA-256 stands for";
    await audit.found({ kind: "checksum_differs", ...aboutRow(row), found_sha256, detail });
  }
}

/** Whether an object that no row was read for still seems to have none. It has to be looked for once more after that. */
export function seemsOrphaned(audit: Audit, object: ObjectInfo): boolean {
  let { storage, bucket } = audit.place;
  if (audit.isYoung(object.lastModifiedMs)) {
    audit.totals.young++;
    return false;
  }
  let isNamed = audit.intents.name(placeOfObject(audit, object));
  return !isNamed && audit.catalog.oldestByKey(storage, bucket, object.key) === null;
}

/** @param object as it is after `seemsOrphaned` was asked */
export async function reportOrphan(audit: Audit, object: ObjectInfo): Promise<void> {
  let uid = uidInKey(object.key);
  let { filename } = readUserMetadata(object.userMetadata ?? {});
  await audit.found({
    kind: "orphan_object",
    ...placeOfObject(audit, object),
    ...(uid === null ? {} : { uid }),
    ...(filename === null ? {} : { filename }),
    found_bytes: object.sizeBytes,
    detail: "no file of the catalog uses this object",
  });
}

export function placeOfObject({ storage }: Audit, { key }: Pick<ObjectInfo, "key">): ObjectPlace {
  return { storage: storage.name, bucket: storage.bucket, key };
}
