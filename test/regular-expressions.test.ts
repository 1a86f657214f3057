import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

import { check } from "recheck";

import { readAuthorization } from "../src/auth/credentials.ts";
import { clientAddress, createTrustedProxies } from "../src/auth/forwarding.ts";
import { createHostCheck } from "../src/auth/hosts.ts";
import { normalAddress } from "../src/auth/ip.ts";
import { parseHost, parseHttpUrl } from "../src/config/addresses.ts";
import { memorySource } from "../src/inspect/byte-source.ts";
import { readSvg } from "../src/inspect/dimensions/svg.ts";
import { extensionsOf } from "../src/inspect/extension.ts";
import { detectMediaType } from "../src/inspect/media-type.ts";
import { parseBoundary } from "../src/parse/boundary.ts";
import { parseContentDisposition } from "../src/parse/content-disposition.ts";
import { parseFilename, renderFilename } from "../src/parse/filename.ts";
import { parseMediaType } from "../src/parse/media-type.ts";
import { parsePartHeaders } from "../src/parse/part-headers.ts";
import { decodeText, percentDecode } from "../src/parse/text.ts";
import { parseListAddress } from "../src/web/list-parameters.ts";
import { parseRange } from "../src/web/range.ts";
import { parseSize } from "../src/web/sizes.ts";

setDefaultTimeout(240_000);

const root = join(import.meta.dir, "..");

/** A literal stands where a value may begin; what this finds beside them is no pattern that compiles. */
const literal =
  /(?<=(?:^|[=(,:[!&|?{};>]|return)\s*)\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)/gm;

/**
 * What the checker does not understand (looking ahead, the flag v) or has no patience for (long bounded repetitions), by
 * how it begins: these are tried with texts made for them.
 */
const undecided: Record<string, string[]> = {
  "^<(?:!doctype\\s+html|html)(?=": ["<!doctype", " "],
  "^solid [^\\n]{0,200}\\n": ["solid ", "\n "],
  '^(?:\\[\\s*)*(?:\\{\\s*"': ["[", '{"', "\\a", "[ "],
  "(?<=[\\p{Extended_Pictographic}": ["\u{1f3f4}\u{e0061}", "\u200d", "a\ufe00"],
  "[[\\p{Default_Ignorable_Code_Point}": ["\u200b"],
  '"((?:[^"\\\\]|\\\\[^])*)"(?=': ['"', '" ', '"\\"'],
  '"([^]*?)"(?=': ['"', '" ', '"  x'],
  "\\bgzip\\b(?!": ["gzip ", "gzip;q=0.0", "gzip; "],
  "^(?:[A-Za-z0-9][A-Za-z0-9._-]{1,253}": ["a", "arn:aws:s3:", "a-"],
  "^[a-z0-9](?:[a-z0-9-]{0,61}": ["a", "a-", "a."],
  // The operator's own settings, which nobody else can send.
  '(:\\/\\/[^"]*?[?#])[^"]*': [],
};

interface Found {
  file: string;
  source: string;
  flags: string;
}

function listedAs({ source }: Found): string | undefined {
  return Object.keys(undecided).find((start) => source.startsWith(start));
}

function isPattern({ source, flags }: Found): boolean {
  if (source.includes("${")) return false;
  try {
    return RegExp(source, flags).source === source;
  } catch {
    return false;
  }
}

let files = ["src", "views", "public/js"].flatMap((folder) =>
  [...new Bun.Glob(`${folder}/**/*.{ts,tsx,js}`).scanSync(root)].filter((path) => !path.endsWith(".d.ts")),
);
let texts = await Promise.all(
  files.map(async (file) => ({ file, text: await Bun.file(join(root, file)).text() })),
);
let found = texts
  .flatMap(({ file, text }) =>
    [...text.matchAll(literal)].map(([, source = "", flags = ""]): Found => ({ file, source, flags })),
  )
  .filter(isPattern);

describe("regular expressions", () => {
  test("take time that grows with the length of a text, whatever the text is", async () => {
    expect(found.length).toBeGreaterThan(150);
    let checked = found.filter((one) => listedAs(one) === undefined);
    let bad = await Promise.all(
      checked.map(async ({ file, source, flags }) => {
        // Not its other way of looking, which guesses, and guesses differently from run to run.
        let result = await check(source, flags, { timeout: 200_000, checker: "automaton" });
        if (result.status === "safe") return [];
        let how = result.status === "vulnerable" ? result.complexity.summary : "not decided: list it";
        return [`${file}: /${source}/${flags} ${how}`];
      }),
    );
    expect(bad.flat()).toEqual([]);
  });

  test("that the checker can't decide come to an end on texts made for them", () => {
    expect(
      found
        .map(listedAs)
        .filter((start) => start !== undefined)
        .toSorted(),
    ).toEqual(Object.keys(undecided).toSorted());
    for (let one of found) {
      for (let piece of undecided[listedAs(one) ?? ""] ?? []) {
        for (let end of ends) {
          let text = piece.repeat(hostileChars / piece.length) + end;
          // Not test(): a sticky or global one would begin elsewhere the next time.
          text.search(new RegExp(one.source, one.flags));
          text.slice(1).replace(new RegExp(one.source, one.flags), "");
        }
      }
    }
  });

  test("are not put together from texts, but where names are cleaned and where keys of the bucket are told apart", () => {
    let makers = texts
      .filter(({ text }) => /\bRegExp\(/.test(text))
      .map(({ file }) => file)
      .toSorted();
    expect(makers).toEqual(["src/parse/filename.ts", "src/store/key-kinds.ts"]);
  });
});

/** More than a head of 16 KiB, a part's headers or the start of a file can bring. */
const hostileChars = 64 * 1024;
/** Pieces that patterns of this program look for, and that they stop at. */
const pieces = [
  ..." .,;:=\"'\\/%?*<>[](){}-+_~@#&0a\t\n\0",
  "é",
  "\u200d",
  "\ufe0f",
  "\u{1f3f4}",
  "\u{e0061}",
  "\u202e",
  "\ud800",
  "\u00a0",
  "1.",
  "a ",
  " a",
  "a=",
  'a="',
  "a='",
  '="',
  "; a",
  "=?",
  "=?utf-8?q?",
  '\\"',
  "%2",
  "%25",
  "<!--",
  "<!DOCTYPE x [",
  "] ",
  "<svg ",
  "<a b=",
  "]]>",
  "From a@",
  "--",
  "\r\n ",
  "1e",
  "127.",
  "::",
];
const ends = ["", "x", "!", "\n", '"', ">", "\0"];

function* hostileTexts(starts: string[] = [""]): Generator<string> {
  for (let start of starts)
    for (let piece of pieces) {
      let body = piece.repeat(Math.ceil(hostileChars / piece.length));
      for (let end of ends) yield start + body + end;
    }
}

/** Whatever it makes of them: that it comes to an end is the test, whose time is bounded. */
function tryAll(parse: (text: string) => unknown, starts?: string[]): void {
  for (let text of hostileTexts(starts)) {
    try {
      parse(text);
    } catch {
      // A refusal is an answer.
    }
  }
}

describe("every parser of what strangers send comes to an end in time:", () => {
  let trusted = createTrustedProxies(["10.0.0.0/8"]);
  let checkHost = createHostCheck({ host: "127.0.0.1", publicUrl: null, hostname: "a" });
  let parsers: [string, (text: string) => unknown, string[]?][] = [
    ["file names", parseFilename, ["", "a"]],
    ["file names that are shown", renderFilename],
    ["extensions", extensionsOf, ["a."]],
    [
      "Content-Disposition",
      parseContentDisposition,
      ["form-data; name=a; filename=", 'form-data; filename*="', "form-data"],
    ],
    ["part headers", parsePartHeaders, ["", 'Content-Disposition: form-data; name="']],
    ["boundaries", parseBoundary, ["multipart/form-data; boundary=", 'multipart/form-data; boundary="']],
    ["media types", parseMediaType],
    ["percent sequences", (text) => decodeText(percentDecode(text))],
    ["Authorization", readAuthorization, ["", "Bearer ", "Basic "]],
    ["addresses", normalAddress, ["", "[", "fe80::1%"]],
    ["X-Forwarded-For", (text) => clientAddress("10.0.0.1", text, trusted)],
    ["Host", checkHost],
    ["addresses of the configuration", (text) => [parseHost(text), parseHttpUrl(`http://a/${text}`)]],
    ["Range", (text) => parseRange(text, 100), ["bytes=", "bytes=1-"]],
    ["sizes", parseSize, ["", "1"]],
    ["addresses of a list", parseListAddress, ["", "_search=", "content_type="]],
  ];
  for (let [name, parse, starts] of parsers) test(name, () => tryAll(parse, starts));

  test("texts, markup and SVG", async () => {
    let encoder = new TextEncoder();
    for (let text of hostileTexts(["", "<svg xmlns='http://www.w3.org/2000/svg' ", '<svg width="'])) {
      let bytes = encoder.encode(text);
      await detectMediaType(bytes, true, "a.svg");
      await readSvg(memorySource(bytes));
    }
  });
});
