import { AppError } from "../errors.ts";

/** One component of a path on ext4, NTFS and APFS holds no more. */
export const maxFilenameBytes = 255;
/** What follows the last dot counts as an extension worth keeping up to this length, dot included. */
const maxExtensionBytes = 32;
/** A refused name is shown in an error; nobody needs more of it to recognise it. */
const maxRenderedChars = 80;
/** Stands at the place where a long name was cut. */
const cutMark = "…";
/** Stands for a character that must not be shown as it is. */
const standIn = "_";

const pathSeparator = /[/\\]/;
const allPathSeparators = /[/\\]/g;
/** Controls, line separators, non-characters, and the marks that reverse the order in which a name reads. */
const harmful = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069\p{Noncharacter_Code_Point}]/gu;
/**
 * Characters without a shape that some names need: the joiner inside an emoji, joiners and non-joiners inside scripts
 * that join their letters, one variation selector after what it varies, the tags that spell the flag of a region.
 */
const needed =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F])\u200D(?=\p{Extended_Pictographic})|(?<=[[\p{L}\p{M}]--[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Default_Ignorable_Code_Point}]])[\u200C\u200D]|(?<=[\p{L}\p{N}\p{S}\p{P}])[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]|(?<=\p{Script=Mongolian})[\u180B-\u180D\u180F]|(?<=\u{1F3F4})[\u{E0020}-\u{E007E}]{1,8}\u{E007F}/v;
/** Any other character without a shape: zero-width spaces, soft hyphens, byte order marks, direction marks, fillers. */
const shapeless = /[[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]--[\u202A-\u202E\u2066-\u2069]]/v;
const neededOrShapeless = new RegExp(`(${needed.source})|${shapeless.source}`, "gv");
/** What a reader can see; a name of dots, blanks and shapeless characters alone has nothing of it. */
const visible = /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800.]|\p{Co}/u;
const worthlessStart = new RegExp(`^(?:${harmful.source}|\\p{White_Space})+`, "u");
const worthlessAtEnd = new RegExp(`^(?:${harmful.source}|[\\p{White_Space}.])$`, "u");

/**
 * The sender's name, made safe to show. It stays recognisable: the last segment of a path, in NFC, without blanks and
 * controls around it or dots behind it; harmful characters inside become `_`, shapeless ones go unless the writing needs
 * them, and a name above 255 bytes is cut in front of its extension. It is text, never a path: `CON`, `-rf`, `=1+1.csv`, `<b>` and `%2e%2e` stay as they are.
 *
 * @throws AppError `invalid_filename` when nothing visible is left or the name is not Unicode (two different broken
 * names would become one); details.filename is a safe rendering.
 */
export function parseFilename(untrusted: string): string {
  if (!untrusted.isWellFormed()) throw refused(untrusted, "The file name is not valid Unicode.");
  let segment = untrusted.split(pathSeparator).at(-1) ?? "";
  if (!visible.test(segment))
    throw refused(untrusted, "The file name is empty or holds nothing that can be seen.");

  // Composed first: what a letter needs must not hang on how its accent is written.
  let shown = segment
    .normalize("NFC")
    .replace(neededOrShapeless, (_found, kept?: string) => kept ?? "")
    .replace(worthlessStart, "");
  return shorten(withoutWorthlessEnd(shown).replace(harmful, standIn).normalize("NFC"));
}

/** Character by character from the end: a pattern would try again at each dot of a name of dots. */
function withoutWorthlessEnd(text: string): string {
  let end = text.length;
  while (end > 0) {
    let start = isPair(text, end - 2) ? end - 2 : end - 1;
    if (!worthlessAtEnd.test(text.slice(start, end))) break;
    end = start;
  }
  return text.slice(0, end);
}

function isPair(text: string, at: number): boolean {
  return at >= 0 && (text.codePointAt(at) ?? 0) > 0xffff;
}

/** Any name as a short line that is safe to show, for errors about names that were refused. */
export function renderFilename(untrusted: string): string {
  let line = untrusted
    .slice(0, 4 * maxRenderedChars)
    .toWellFormed()
    .replace(harmful, standIn)
    .replace(allPathSeparators, standIn)
    .replace(neededOrShapeless, "");
  let characters = [...line];
  if (characters.length <= maxRenderedChars) return line;
  return characters.slice(0, maxRenderedChars).join("") + cutMark;
}

function refused(untrusted: string, message: string): AppError {
  return new AppError("invalid_filename", message, { details: { filename: renderFilename(untrusted) } });
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= maxFilenameBytes) return name;
  let dot = name.lastIndexOf(".");
  let extension = dot > 0 ? name.slice(dot) : "";
  if (Buffer.byteLength(extension) > maxExtensionBytes) extension = "";

  let stem = name.slice(0, name.length - extension.length);
  let room = maxFilenameBytes - Buffer.byteLength(cutMark + extension);
  return longestStart(stem, room) + cutMark + extension;
}

/** As many whole graphemes as fit; code points where one grapheme alone is too long. */
function longestStart(text: string, maxBytes: number): string {
  // A UTF-16 unit is at least one byte, so that no more units than bytes can fit.
  let candidates = text.slice(0, maxBytes + 1).toWellFormed();
  let graphemes = Array.from(new Intl.Segmenter().segment(candidates), (part) => part.segment);
  return firstThatFit(graphemes, maxBytes) || firstThatFit([...candidates], maxBytes);
}

function firstThatFit(pieces: string[], maxBytes: number): string {
  let fitting = "";
  let bytes = 0;
  for (let piece of pieces) {
    bytes += Buffer.byteLength(piece);
    if (bytes > maxBytes) break;
    fitting += piece;
  }
  return fitting;
}
