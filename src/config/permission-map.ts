import { z } from "zod";

export const RIGHTS = ["upload", "view", "delete", "admin"] as const;
export type Right = (typeof RIGHTS)[number];

/** Who may do what, by name; `*` stands for everybody that is not named. */
export type PermissionMap = Readonly<Record<string, readonly Right[]>>;

const rule =
  "must be names with what they may, like ann=admin, bob=upload+view, *=view, of upload, view, delete and admin (none for nothing)";
const maxNameCharacters = 200;

/** `ann=admin, *=view` as text; in a file also a mapping of names to words or lists of words. */
export function permissionMap(): z.ZodType<PermissionMap> {
  return z
    .preprocess(
      (raw) => (typeof raw === "string" ? pairsOf(raw) : raw),
      z.record(z.string(), z.unknown(), { error: rule }),
    )
    .transform((given, context) => {
      let entries = Object.entries(given).map(([name, words]) => [name.trim(), rightsOf(words)] as const);
      let sound = entries.flatMap(([name, rights]) =>
        rights === null || name === "" || name.length > maxNameCharacters ? [] : [[name, rights] as const],
      );
      if (sound.length === entries.length) return Object.freeze(Object.fromEntries(sound));
      context.addIssue({ code: "custom", message: rule });
      return z.NEVER;
    });
}

/** A name may hold an `=`, as in `uid=ann`: the last one counts. Null for a text that is none. */
function pairsOf(text: string): Record<string, string> | null {
  let pairs: [string, string][] = [];
  for (let entry of text.split(",")) {
    if (entry.trim() === "") continue;
    let equals = entry.lastIndexOf("=");
    if (equals < 0) return null;
    pairs.push([entry.slice(0, equals).trim(), entry.slice(equals + 1)]);
  }
  let names = new Set(pairs.map(([name]) => name));
  return names.size === pairs.length ? Object.fromEntries(pairs) : null;
}

function rightsOf(given: unknown): readonly Right[] | null {
  let words = typeof given === "string" ? given.split(/[+,\s]+/) : given;
  if (!Array.isArray(words) || words.some((word) => typeof word !== "string")) return null;
  let lower = words.map((word: string) => word.trim().toLowerCase()).filter((word) => word !== "");
  if (lower.length === 1 && lower[0] === "none") return [];
  let known = RIGHTS.filter((right) => lower.includes(right));
  return lower.length > 0 && lower.every((word) => RIGHTS.some((right) => right === word)) ? known : null;
}
