import { type AuditRow, rangeOfPrefix } from "../record/catalog-audit.ts";
import { compareByteOrder } from "../store/byte-order.ts";
import { isProbeKey, kindOfKey } from "../store/key-kinds.ts";
import type { ObjectInfo } from "../store/storage.ts";
import type { Audit } from "./audit.ts";
import { type DeepRead, readAndCompare } from "./deep.ts";
import { forEachLimited } from "./limited.ts";
import { listPages } from "./list-pages.ts";
import { lookForObject, placeOfObject, reportOrphan, seemsOrphaned } from "./look-again.ts";
import { pair } from "./pair.ts";

/** Calls that may be under way for second looks. */
export const looksAtOnce = 16;
/** Objects being read whole. */
const readsAtOnce = 3;
/** Suspicions that are gathered before they are looked at. */
const maxSuspects = 1000;
/**
 * More objects without a row than this in one page of a bucket are looked for by listing once more: that is one call instead
 * of one for each. A folder is read and sorted as a whole for each listing, and one file costs next to nothing.
 */
const maxSingleLooks = 20;

interface Suspects {
  rowsAlone: AuditRow[];
  objectsAlone: ObjectInfo[];
  otherSize: AuditRow[];
  toRead: DeepRead[];
}

/**
 * The listing of the storage against the rows of the same place, page by page: first the objects are listed, then the rows up
 * to the last key are read, so that whatever is committed meanwhile is in the rows.
 *
 * @returns the folders of uploaded files that were seen, one for each month
 */
export async function compareObjects(audit: Audit): Promise<Set<string>> {
  let { catalog, place, storage, totals } = audit;
  let folders = new Set<string>();
  for await (let { objects, range } of listPages(storage, place.prefix, rangeOfPrefix(place.prefix))) {
    let rows = catalog.rowsByKey(place, range);
    let suspects = noSuspects();
    totals.objects += objects.length;
    for (let object of objects) count(audit, object, folders);
    for (let { left: object, right: row } of pair(objects, inOneRow(rows), compareKeys)) {
      if (row) totals.rows++;
      if (object && row) compareSizes(object, row, suspects, audit);
      else if (row) suspects.rowsAlone.push(row);
      else if (object) await withoutRow(audit, object, suspects);
      if (sizeOf(suspects) >= maxSuspects) suspects = await settle(audit, suspects);
    }
    await settle(audit, suspects);
    audit.progress();
  }
  return folders;
}

function compareKeys(object: ObjectInfo, row: AuditRow): number {
  return compareByteOrder(object.key, row.s3_key);
}

function* inOneRow<T>(pages: Iterable<T[]>): Generator<T> {
  for (let page of pages) yield* page;
}

function count(audit: Audit, { key, lastModifiedMs }: ObjectInfo, folders: Set<string>): void {
  let { totals } = audit;
  let { kind } = kindOfKey(audit.place.prefix, key);
  if (kind === "object") {
    totals.ownObjects++;
    folders.add(key.slice(0, key.lastIndexOf("/") + 1));
  } else if (kind === "link" || kind === "gone") totals.marks++;
  else if (kind === "quarantined") {
    totals.quarantined++;
    if (audit.isOverdue(lastModifiedMs)) totals.overdue++;
  }
}

function compareSizes(object: ObjectInfo, row: AuditRow, suspects: Suspects, { deep }: Audit): void {
  if (object.sizeBytes !== row.size_bytes) suspects.otherSize.push(row);
  else if (deep) {
    let last = suspects.toRead.at(-1);
    if (last?.object === object) last.rows.push(row);
    else suspects.toRead.push({ object, rows: [row] });
  }
}

async function withoutRow(audit: Audit, object: ObjectInfo, suspects: Suspects): Promise<void> {
  let { kind } = kindOfKey(audit.place.prefix, object.key);
  if (kind === "object") suspects.objectsAlone.push(object);
  // Names of folders, as consoles make them, are nobody's files.
  else if (kind === "foreign" && !object.key.endsWith("/")) {
    if (audit.isYoung(object.lastModifiedMs)) audit.totals.young++;
    else {
      let { name: storage, bucket } = audit.storage;
      let detail = isProbeKey(object.key)
        ? "s3-uploads check could not remove it; nobody needs it"
        : "this program did not make it; import adopts it";
      let { key, sizeBytes: found_bytes } = object;
      await audit.found({ kind: "foreign_object", storage, bucket, key, found_bytes, detail });
    }
  }
}

async function settle(audit: Audit, suspects: Suspects): Promise<Suspects> {
  let { rowsAlone, objectsAlone, otherSize, toRead } = suspects;
  await forEachLimited(rowsAlone, looksAtOnce, (row) => lookWhenOld(audit, row));
  await forEachLimited(otherSize, looksAtOnce, async (row) => {
    await lookForObject(audit, row);
  });
  await lookForOrphans(
    audit,
    objectsAlone.filter((object) => seemsOrphaned(audit, object)),
  );
  await forEachLimited(toRead, readsAtOnce, (read) => readAndCompare(audit, read));
  return noSuspects();
}

/** A young row's answer would not count: it isn't asked for. */
async function lookWhenOld(audit: Audit, row: AuditRow): Promise<void> {
  if (audit.isYoung(Date.parse(row.created_at))) audit.totals.young++;
  else await lookForObject(audit, row);
}

async function lookForOrphans(audit: Audit, objects: ObjectInfo[]): Promise<void> {
  let isCheaper = audit.storage.name === "s3" && objects.length > maxSingleLooks;
  let listed = isCheaper ? await listAgain(audit, objects) : null;
  await forEachLimited(objects, looksAtOnce, async (object) => {
    let isThere = listed ? listed.has(object.key) && object : await audit.head(placeOfObject(audit, object));
    if (isThere) await reportOrphan(audit, isThere);
  });
}

async function listAgain({ storage, place }: Audit, objects: ObjectInfo[]): Promise<Set<string>> {
  let wanted = new Set(objects.map((object) => object.key));
  let [first] = objects;
  let last = objects.at(-1);
  let found = new Set<string>();
  if (!first || !last) return found;
  // There is no "from this key on"; what comes between a key and its own beginning was not asked for.
  let startAfter = first.key.slice(0, -1);
  for await (let { key } of storage.list(place.prefix, { startAfter })) {
    if (wanted.has(key)) found.add(key);
    if (compareByteOrder(key, last.key) >= 0) break;
  }
  return found;
}

function noSuspects(): Suspects {
  return { rowsAlone: [], objectsAlone: [], otherSize: [], toRead: [] };
}

function sizeOf({ rowsAlone, objectsAlone, otherSize, toRead }: Suspects): number {
  return rowsAlone.length + objectsAlone.length + otherSize.length + toRead.length;
}
