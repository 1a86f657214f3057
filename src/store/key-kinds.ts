import { sendersFolder } from "./keys.ts";

/**
 * What stands under the prefix beside the objects themselves. All names come after the years in byte order, so that a
 * listing gives every object before the first mark.
 */
const marksFolder = "marks/";
const quarantineFolder = "quarantine/";

const uidText = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
/** Of a sender whose files lie apart. */
const folderText = `(?:${sendersFolder}(?:[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*/){1,8})?`;
const objectPattern = new RegExp(
  `^${folderText}[1-9]\\d{3}/(?:0[1-9]|1[0-2])/(${uidText})\\.[a-z0-9]{1,16}(?:\\.[a-z0-9]{1,16})?$`,
);
const ownNamePattern = new RegExp(`^(${uidText})\\.`);
const markPattern = new RegExp(`^${marksFolder}(${uidText})\\.(link|gone)$`);

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
