import { AppError } from "../errors.ts";

/** A search longer than any file name finds nothing; these bounds keep the query small. */
export const maxSearchCharacters = 500;
export const maxSearchWords = 32;

/** The trigram index knows nothing shorter. */
const indexedCharacters = 3;

/** What a search field's text asks of a name; a name has to satisfy all of it. */
export interface Search {
  /** An FTS5 expression for the words of three characters and more, or null. */
  match: string | null;
  /** For each shorter word the LIKE patterns (ESCAPE '\') of which one has to fit. */
  short: string[][];
}

/**
 * Takes user text apart. Nothing in it is syntax: words are quoted for FTS5 and escaped for LIKE. Null when it holds no
 * word. Throws `invalid_parameter` when it is too long.
 */
export function parseSearch(text: string | undefined): Search | null {
  if (text === undefined) return null;
  let words = text
    .toWellFormed()
    .normalize("NFC")
    .split(/[\s\p{Cc}]+/u)
    .filter((word) => word !== "");
  if (words.length === 0) return null;
  if (text.length > maxSearchCharacters || words.length > maxSearchWords) {
    throw new AppError(
      "invalid_parameter",
      `A search takes at most ${maxSearchWords} words and ${maxSearchCharacters} characters.`,
      { details: { parameter: "_search" } },
    );
  }
  let long = words.filter(isIndexed);
  return {
    match: long.length === 0 ? null : long.map((word) => `"${word.replaceAll('"', '""')}"`).join(" "),
    short: words.filter((word) => !isIndexed(word)).map(likePatterns),
  };
}

function isIndexed(word: string): boolean {
  return [...word].length >= indexedCharacters;
}

/** LIKE folds the case of ASCII only, so every spelling of the one or two characters is tried: é and É. */
function likePatterns(word: string): string[] {
  let spellings = [""];
  for (let character of word) {
    let cases = caseVariants(character);
    spellings = spellings.flatMap((start) => cases.map((end) => start + end));
  }
  return spellings.map((spelling) => `%${spelling.replace(/[\\%_]/g, "\\$&")}%`);
}

function caseVariants(character: string): string[] {
  if (character <= "\x7f") return [character];
  let upper = character.toUpperCase();
  let variants = new Set([character, upper, character.toLowerCase(), upper.toLowerCase()]);
  // Some letters become two (ß, SS); names that spell them so are found by those two letters.
  return [...variants].filter((variant) => [...variant].length === 1);
}
