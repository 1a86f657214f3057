import { sendersFolder } from "./keys.ts";

/**
 * What stands under the prefix beside the objects themselves. All names come after the years in byte order, so that a
 * listing gives every object before the first mark.
 */
const marksFolder = "marks/";
const quarantineFolder = "quarantine/";

const uidText = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const objectText = `[1-9]\\d{3}/(?:0[1-9]|1[0-2])/(${uidText})\\.[a-z0-9]{1,16}(?:\\.[a-z0-9]{1,16})?`;
/** Of a sender whose files lie apart. */
const folderText = `(?:${sendersFolder}(?:[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*/){1,8})?`;
const objectPattern = new RegExp(`^${folderText}${objectText}$`);
const objectAnywherePattern = new RegExp(`^(.*/)?${objectText}$`, "s");
const probePattern = new RegExp(`^(?:.*/)?s3-uploads-check/${uidText}$`, "s");
const ownNamePattern = new RegExp(`^(${uidText})\\.`);
const markPattern = new RegExp(`^${marksFolder}(${uidText})\\.(link|gone)$`);
const markAnywherePattern = new RegExp(`^(.*/)?${marksFolder}${uidText}\\.(?:link|gone)$`, "s");

export type KeyKind =
  /** A file that was uploaded; its key was made by `objectKey`. */
  | { kind: "object"; uid: string }
  /** Empty object for a row that shares another row's object: without it a lost row could not be made again. */
  | { kind: "link"; uid: string }
  /** Empty object for a row that was deleted while others go on using its object: a rebuild must not bring it back. */
  | { kind: "gone"; uid: string }
  /** Set aside by a repair; `key` is where it was. */
  | { kind: "quarantined"; key: string }
  /** Nothing that this program has made. */
  | { kind: "foreign" };

/** @param prefix empty or ending with a slash */
export function kindOfKey(prefix: string, key: string): KeyKind {
  if (!key.startsWith(prefix)) return { kind: "foreign" };
  let rest = key.slice(prefix.length);
  let object = objectPattern.exec(rest)?.[1];
  if (object) return { kind: "object", uid: object };
  let [, marked, mark] = markPattern.exec(rest) ?? [];
  if (marked) return { kind: mark === "link" ? "link" : "gone", uid: marked };
  if (rest.startsWith(quarantineFolder)) {
    return { kind: "quarantined", key: prefix + rest.slice(quarantineFolder.length) };
  }
  return { kind: "foreign" };
}

export function linkMarkKey(prefix: string, uid: string): string {
  return `${prefix}${marksFolder}${uid}.link`;
}

export function goneMarkKey(prefix: string, uid: string): string {
  return `${prefix}${marksFolder}${uid}.gone`;
}

/** Where a repair puts the object that is at `key`, which begins with the prefix. */
export function quarantineKey(prefix: string, key: string): string {
  return `${prefix}${quarantineFolder}${key.slice(prefix.length)}`;
}

/** Every key of `kind: "link"` or `"gone"` begins with this. */
export function marksPrefix(prefix: string): string {
  return prefix + marksFolder;
}

/** The uid in the key of an uploaded object, or null; the row of that uid has stored it, others share it. */
export function uidInKey(key: string): string | null {
  let name = key.slice(key.lastIndexOf("/") + 1);
  return ownNamePattern.exec(name)?.[1] ?? null;
}

/**
 * The prefix that was configured when an object was uploaded, a mark written or an object set aside, whatever it is today;
 * null for a key of any other shape. Marks and quarantine lie side by side under it, also those of a sender's folder.
 */
export function prefixOfKey(key: string): string | null {
  let found = objectAnywherePattern.exec(key) ?? markAnywherePattern.exec(key);
  if (found === null) return null;
  let above = found[1] ?? "";
  let prefix = aboveFolders(above) ?? above;
  return hasLastSegment(prefix, quarantineFolder) ? prefix.slice(0, -quarantineFolder.length) : prefix;
}

/** Whether the object was sent by somebody whose files lie apart from the others'. */
export function liesApart(key: string): boolean {
  return aboveFolders(objectAnywherePattern.exec(key)?.[1] ?? "") !== null;
}

/** The configured prefix never has that segment (config/addresses.ts), a sender's folder may. */
function aboveFolders(path: string): string | null {
  let at = `/${path}`.indexOf(`/${sendersFolder}`);
  return at === -1 ? null : path.slice(0, at);
}

function hasLastSegment(path: string, segment: string): boolean {
  return path === segment || path.endsWith(`/${segment}`);
}

/** What `s3-uploads check` stores for a moment, under any prefix. */
export function isProbeKey(key: string): boolean {
  return probePattern.test(key);
}

/** Where an object is. */
export interface PlaceOfObject {
  storage: string;
  bucket: string;
  key: string;
}

/**
 * The uid of the row that an object belongs to; rows with another uid share it. It stands in the key of an object that was
 * uploaded. Of one that somebody else stored it follows from its place (UUIDv5), so that a rebuild gives the same again.
 */
export function ownUid({ storage, bucket, key }: PlaceOfObject): string {
  return objectAnywherePattern.exec(key)?.[2] ?? Bun.randomUUIDv5(`${storage}:${bucket}/${key}`, "url");
}
