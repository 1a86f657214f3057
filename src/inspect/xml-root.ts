/** Comments, declarations and the like before the root element; each is looked at once. */
const maxPrologParts = 200;

/** A name with its value in quotes, a name alone, or what is neither: no character is looked at twice. */
const attributeOrOther = /([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?|[\s=/>]+|["']/g;

export interface RootElement {
  /** Without a namespace prefix, as written. */
  name: string;
  /** Its value as written, character references resolved; null when absent. */
  attribute(name: string): string | null;
}

/** The first element of an XML text behind declaration, comments, DOCTYPE and white space; null when none begins there. */
export function findRootElement(text: string): RootElement | null {
  let at = text.startsWith("\ufeff") ? 1 : 0;
  for (let part = 0; part < maxPrologParts; part++) {
    at = skipSpace(text, at);
    if (text[at] !== "<") return null;
    let next = skipProlog(text, at);
    if (next === null) return null;
    if (next === at) break;
    at = next;
  }
  let start = /^<(?:[\w.-]{1,64}:)?([\w.-]{1,64})(?=[\s/>])/.exec(text.slice(at, at + 200));
  if (!start?.[1]) return null;
  let tag = text.slice(at + start[0].length, tagEnd(text, at));
  return { name: start[1], attribute: (name) => findAttribute(tag, name) };
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && " \t\r\n\f".includes(text[at] ?? "x")) at++;
  return at;
}

/** Past a comment, instruction or DOCTYPE that begins at `at`; `at` itself when none does; null when it does not end. */
function skipProlog(text: string, at: number): number | null {
  let past = (end: string, from: number) => {
    let found = text.indexOf(end, from);
    return found < 0 ? null : found + end.length;
  };
  if (text.startsWith("<!--", at)) return past("-->", at + 4);
  if (text.startsWith("<?", at)) return past("?>", at + 2);
  if (!/^<!doctype/i.test(text.slice(at, at + 9))) return at;
  let close = text.indexOf(">", at);
  let subset = text.indexOf("[", at);
  if (close < 0) return null;
  if (subset < 0 || close < subset) return close + 1;
  let subsetEnd = /\]\s*>/g;
  subsetEnd.lastIndex = subset;
  return subsetEnd.test(text) ? subsetEnd.lastIndex : null;
}

/** A `>` inside an attribute's quotes does not end the tag. */
function tagEnd(text: string, at: number): number {
  let quote = "";
  for (let end = at; end < text.length; end++) {
    let character = text[end] ?? "";
    if (quote) {
      if (character === quote) quote = "";
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === ">") {
      return end;
    }
  }
  return text.length;
}

function findAttribute(tag: string, name: string): string | null {
  for (let [, key, double, single] of tag.matchAll(attributeOrOther)) {
    let value = double ?? single;
    if (key === name && value !== undefined) return resolveReferences(value);
  }
  return null;
}

function resolveReferences(value: string): string {
  return value.replace(/&#(x[0-9a-f]{1,6}|\d{1,7});/gi, (whole, digits: string) => {
    let code =
      digits.startsWith("x") || digits.startsWith("X") ? parseInt(digits.slice(1), 16) : Number(digits);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
