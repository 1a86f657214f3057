import { describe, expect, test } from "bun:test";

import { AppError } from "../../src/errors.ts";
import { maxFilenameBytes, parseFilename, renderFilename } from "../../src/parse/filename.ts";

function refusalOf(untrusted: string): AppError | null {
  try {
    parseFilename(untrusted);
    return null;
  } catch (thrown) {
    return thrown as AppError;
  }
}

describe("a name is shown", () => {
  let cases: [what: string, sent: string, shown: string][] = [
    ["as it is", "photo.jpg", "photo.jpg"],
    ["without its POSIX path", "../../etc/passwd", "passwd"],
    ["without its Windows path", "C:\\fakepath\\photo.jpg", "photo.jpg"],
    ["without a mixed path", "..\\../mixed.png", "mixed.png"],
    ["with its drive, which is text", "C:evil.jpg", "C:evil.jpg"],
    ["with percent signs as text", "%2e%2e%2fx%00.jpg", "%2e%2e%2fx%00.jpg"],
    ["with characters that only resemble a slash", "∕etc∕passwd", "∕etc∕passwd"],
    ["with a stand-in for controls", "a\0b\r\nc\x1b[31m\x7f\x85d.txt", "a_b__c_[31m__d.txt"],
    ["with a stand-in for line separators", "x\u2028y\u2029.txt", "x_y_.txt"],
    ["with a stand-in for what reverses its order", "photo\u202egpj.exe", "photo_gpj.exe"],
    ["with a stand-in for isolates and non-characters", "a\u2066b\u2069c\uffff.txt", "a_b_c_.txt"],
    ["without controls at its ends", "\u202ephoto.jpg\0\n", "photo.jpg"],
    [
      "without zero-width spaces, byte order marks, soft hyphens",
      "\ufeffa\u200bb\u00adc\u2060.txt",
      "abc.txt",
    ],
    ["without direction marks, in right-to-left letters", "\u200fשלום\u200e.txt", "שלום.txt"],
    ["without joiners that join nothing", "zwj\u200djoin\u200c.txt", "zwjjoin.txt"],
    ["with the joiners of an emoji", "👨‍👩‍👧‍👦 ❤️‍🔥 1️⃣.png", "👨‍👩‍👧‍👦 ❤️‍🔥 1️⃣.png"],
    [
      "with the joiners of Persian, Sinhala and Malayalam",
      "می‌خواهم ක්‍රි ന്‍.txt",
      "می‌خواهم ක්‍රි ന്‍.txt",
    ],
    ["with the tags of a flag, without other tags", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 tag\u{e0041}\u{e0042}.txt", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 tag.txt"],
    ["in NFC", "cafe\u0301.jpg", "caf\u00e9.jpg"],
    ["the same whichever way its accents are written", "cafe\u0301\u200d.jpg", "caf\u00e9.jpg"],
    ["without compatibility folding", "ﬁle．．／ß.txt", "ﬁle．．／ß.txt"],
    ["without blanks around it", " \u00a0\u3000leading and trailing.txt \t", "leading and trailing.txt"],
    ["without dots and blanks behind it", "trailing-both. . .", "trailing-both"],
    ["with a leading dot", ".htaccess", ".htaccess"],
    ["when Windows reserves it", "CON", "CON"],
    ["with markup as text", "<b onclick='x'>.jpg", "<b onclick='x'>.jpg"],
    ["when it looks like an option, a formula, a keyword", "-rf", "-rf"],
    ["when it is a JavaScript word", "__proto__", "__proto__"],
    ["with the narrow space of a Mac's screenshots", "3.04.05\u202fPM.png", "3.04.05\u202fPM.png"],
  ];
  for (let [what, sent, shown] of cases) {
    test(what, () => {
      expect(parseFilename(sent)).toBe(shown);
      expect(parseFilename(shown)).toBe(shown);
    });
  }
});

describe("a name is refused", () => {
  let cases = [
    "",
    " ",
    "\n",
    "\u3000",
    "\u200b\u200b",
    "\u2800",
    ".",
    "..",
    "...",
    ". . .",
    "../",
    "a/",
    "a\\",
    "\0",
    "\u202e",
    "x/..",
    "\ud83d.jpg",
    "\udcf7.jpg",
    "a\ud800b.txt",
  ];
  for (let name of cases) {
    test(JSON.stringify(name), () => {
      let refusal = refusalOf(name);
      expect(refusal).toBeInstanceOf(AppError);
      expect(refusal?.code).toBe("invalid_filename");
      expect(refusal?.details.filename).toBe(renderFilename(name));
    });
  }
});

describe("a long name", () => {
  test("is cut in front of its extension, with a mark", () => {
    expect(parseFilename(`${"a".repeat(251)}.jpg`)).toBe(`${"a".repeat(251)}.jpg`);
    expect(parseFilename(`${"a".repeat(252)}.jpg`)).toBe(`${"a".repeat(248)}….jpg`);
  });

  test("is cut at its end when it has no extension, or too long a one", () => {
    expect(parseFilename("b".repeat(4101))).toBe(`${"b".repeat(252)}…`);
    expect(parseFilename(`x.${"e".repeat(300)}`)).toBe(`x.${"e".repeat(250)}…`);
  });

  test("is never cut within a character that people see as one", () => {
    let family = "👨‍👩‍👧‍👦";
    let shown = parseFilename(`${family.repeat(20)}.png`);
    expect(shown).toBe(`${family.repeat(9)}….png`);
    expect(parseFilename(`e${"\u0300".repeat(400)}.txt`).isWellFormed()).toBe(true);
    expect(Buffer.byteLength(parseFilename(`é${"\u0300".repeat(400)}.txt`))).toBeGreaterThan(200);
  });

  test("never exceeds the limit, wherever the cut falls", () => {
    for (let length = 60; length < 300; length += 1) {
      for (let character of ["a", "é", "漢", "📷"]) {
        let shown = parseFilename(`${character.repeat(length)}.jpeg`);
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(maxFilenameBytes);
        expect(shown.isWellFormed() && shown.endsWith(".jpeg")).toBe(true);
      }
    }
  });
});

test("a rendering is short and holds nothing harmful", () => {
  expect(renderFilename("../\u202e\0\ud800x")).toBe(".._\u005f_\ufffdx");
  expect(renderFilename("x".repeat(10_000))).toBe(`${"x".repeat(80)}…`);
});
