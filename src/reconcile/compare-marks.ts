import { isOwner, type MarkedRow } from "../marks.ts";
import { type AuditRow, rangeOfPrefix, successorOf, type TextRange } from "../record/catalog-audit.ts";
import { compareByteOrder } from "../store/byte-order.ts";
import {
  type KeyKind,
  kindOfKey,
  linkMarkKey,
  marksPrefix,
  ownUid,
  prefixOfKey,
} from "../store/key-kinds.ts";
import type { ObjectInfo } from "../store/storage.ts";
import type { Audit } from "./audit.ts";
import { looksAtOnce } from "./compare-objects.ts";
import { forEachLimited } from "./limited.ts";
import { type ListedPage, listPages } from "./list-pages.ts";
import { aboutRow, placeOfObject, placeOfRow } from "./look-again.ts";
import { pair } from "./pair.ts";

interface Mark {
  info: ObjectInfo;
  uid: string;
}

/**
 * Link marks against the rows that share an object, both in the order of their uids; and gone marks against the rows and
 * objects of their uids. To be called after the objects were compared.
 *
 * @param folders of uploaded files
 */
export async function compareMarks(audit: Audit, folders: ReadonlySet<string>): Promise<void> {
  let { storage, place, catalog } = audit;
  let prefix = marksPrefix(place.prefix);
  let from = "";
  for await (let page of listPages(storage, prefix, rangeOfPrefix(prefix))) {
    let range = rangeOfUids(audit, page, from);
    from = range.before ?? from;
    let links = marksOf(audit, page.objects, "link");
    for (let rows of catalog.rowsWithForeignKeys(place, range)) {
      // The marks of one page of rows; those behind its last row come with the next ones, or after the last.
      let last = rows.at(-1)?.uid ?? "";
      let upTo = links.findIndex(({ uid }) => compareByteOrder(uid, last) > 0);
      await compareLinks(audit, links.splice(0, upTo < 0 ? links.length : upTo), rows);
    }
    await compareLinks(audit, links, []);
    await lookAtGoneMarks(audit, marksOf(audit, page.objects, "gone"), folders);
    audit.progress();
  }
}

/** The uids whose link marks a page has, if they are there. */
function rangeOfUids(audit: Audit, { objects, isLast }: ListedPage, from: string): TextRange {
  if (isLast) return { from, before: null };
  let last = objects
    .map(({ key }) => kindOfKey(audit.place.prefix, key))
    .findLast((kind) => kind.kind === "link" || kind.kind === "gone");
  // A page without marks settles nothing: the next one goes on from the same uid.
  return { from, before: last ? successorOf(last.uid) : from };
}

function marksOf(audit: Audit, objects: ObjectInfo[], kind: KeyKind["kind"]): Mark[] {
  return objects.flatMap((info) => {
    let found = kindOfKey(audit.place.prefix, info.key);
    return found.kind === kind && "uid" in found ? [{ info, uid: found.uid }] : [];
  });
}

async function compareLinks(audit: Audit, links: Mark[], rows: AuditRow[]): Promise<void> {
  let pairs = pair(links, rows, (mark, row) => compareByteOrder(mark.uid, row.uid));
  let alone = [...pairs].filter(({ left, right }) => left === null || right === null);
  await forEachLimited(alone, looksAtOnce, async ({ left, right }) => {
    if (left) await lookAtLinkMark(audit, left);
    else if (right) await lookAtSharingRow(audit, right);
  });
}

async function lookAtLinkMark(audit: Audit, { info, uid }: Mark): Promise<void> {
  if (young(audit, info.lastModifiedMs)) return;
  if (audit.intents.nameFile(uid) || audit.catalog.byUid(uid)) return;
  await reportStale(
    audit,
    info,
    uid,
    "it stands for a file that shares an object, and there is no such file",
  );
}

async function lookAtGoneMarks(audit: Audit, marks: Mark[], folders: ReadonlySet<string>): Promise<void> {
  let suspects: Mark[] = [];
  await forEachLimited(marks, looksAtOnce, async (mark) => {
    let hasRow = audit.catalog.byUid(mark.uid) !== null;
    if (hasRow || !(await hasObject(audit, mark.uid, folders))) suspects.push(mark);
  });
  let shared = uidsOfSharedObjects(audit, suspects);
  await forEachLimited(suspects, looksAtOnce, async ({ info, uid }) => {
    let row = audit.catalog.byUid(uid);
    if (!row && shared.has(uid)) return;
    if (young(audit, info.lastModifiedMs) || isBeingDeleted(audit, uid)) return;
    let why = row
      ? "it stands for a deleted file, and the file is in the catalog"
      : "it stands for a deleted file whose object others use, and there is no such object";
    await reportStale(audit, info, uid, why);
  });
}

/** The file itself, or one that shares its object and takes the mark along when it is the last. */
function isBeingDeleted({ intents }: Audit, uid: string): boolean {
  return intents.all().some((intent) => intent.uid === uid || ownUid(intent) === uid);
}

/** Which of the suspects were files whose objects others have stored: their uids stand in no key, but follow from it. */
function uidsOfSharedObjects({ catalog, place }: Audit, suspects: Mark[]): Set<string> {
  let wanted = new Set(suspects.map(({ uid }) => uid));
  let found = new Set<string>();
  if (wanted.size === 0) return found;
  for (let rows of catalog.rowsWithForeignKeys(place, { from: "", before: null })) {
    for (let row of rows) {
      let uid = ownUid(placeOfRow(row));
      if (wanted.has(uid)) found.add(uid);
    }
  }
  return found;
}

/** By the rows that use it, which are at hand; else by a look into each folder. */
async function hasObject(
  { catalog, place, storage }: Audit,
  uid: string,
  folders: ReadonlySet<string>,
): Promise<boolean> {
  let inFolders = [...folders].map((folder) => `${folder}${uid}.`);
  for (let start of inFolders) {
    // "/" follows "."
    let rows = catalog.rowsByKey(place, { from: start, before: `${start.slice(0, -1)}/` });
    for (let page of rows) if (page.length > 0) return true;
  }
  for (let start of inFolders) for await (let _ of storage.list(start)) return true;
  return false;
}

async function reportStale(audit: Audit, info: ObjectInfo, uid: string, detail: string): Promise<void> {
  let place = placeOfObject(audit, info);
  if (await audit.head(place)) await audit.found({ kind: "stale_mark", ...place, uid, detail });
}

/** A row without its own uid in its key, and without a mark in the listing. */
async function lookAtSharingRow(audit: Audit, row: AuditRow): Promise<void> {
  let { catalog, intents, place, storage } = audit;
  if (isOwner(placed(row)) || young(audit, Date.parse(row.created_at))) return;
  if (intents.nameFile(row.uid)) return;
  let now = catalog.byUid(row.uid);
  if (now?.s3_key !== row.s3_key || now.bucket !== place.bucket || now.storage !== place.storage) return;
  // Beside the object, whatever the prefix is today.
  let key = linkMarkKey(prefixOfKey(row.s3_key) ?? place.prefix, row.uid);
  if ((await audit.head(placeOfObject(audit, { key }))) !== null) return;
  let detail = `file ${row.id} shares the object ${row.s3_key}; without its mark a lost row could not be made again`;
  await audit.found({ kind: "missing_mark", ...aboutRow(row), storage: storage.name, key, detail });
}

function placed(row: AuditRow): MarkedRow {
  return { uid: row.uid, ...placeOfRow(row) };
}

function young(audit: Audit, atMs: number): boolean {
  let isYoung = audit.isYoung(atMs);
  if (isYoung) audit.totals.young++;
  return isYoung;
}
