import { describe, expect, test } from "bun:test";

import { parseContentDisposition } from "../../src/parse/content-disposition.ts";
import { parseHeaderParameters } from "../../src/parse/header-parameters.ts";
import { cpuMsOf } from "../support/cpu-time.ts";

/** The file name of a header that was sent as UTF-8. */
function nameOf(parameters: string, encoding: BufferEncoding = "utf8"): string | null {
  let header = Buffer.from(`form-data; name="f"; ${parameters}`, encoding).toString("latin1");
  return parseContentDisposition(header).filename;
}

describe("filename", () => {
  let cases: [what: string, sent: string, filename: string | null][] = [
    ["none", "x=y", null],
    ["empty", 'filename=""', ""],
    ["empty token", "filename=", ""],
    ["quoted", 'filename="a b.txt"', "a b.txt"],
    ["a token", "filename=a.txt", "a.txt"],
    ["a token with spaces", "filename= my photo.jpg ; x=y", "my photo.jpg"],
    ["a semicolon in quotes", 'filename="a;b=c.txt"', "a;b=c.txt"],
    ["escaped quotes", 'filename="a\\"b\\".txt"', 'a"b".txt'],
    ["an escaped backslash before an escaped quote", 'filename="a\\\\\\"b.txt"', 'a\\"b.txt'],
    ["percent-encoded quotes of browsers", 'filename="a%22b%22.txt"', 'a"b".txt'],
    ["percent-encoded line breaks of browsers", 'filename="a%0D%0Ab.txt"', "a\r\nb.txt"],
    ["other percent signs", 'filename="100%.txt"', "100%.txt"],
    ["other percent sequences", 'filename="a%20b%2Fc%0d%00.txt"', "a%20b%2Fc%0d%00.txt"],
    ["percent sequences beside escaped quotes", 'filename="\\"%22"', '"%22'],
    ["a Windows path", 'filename="C:\\fakepath\\photo.jpg"', "C:\\fakepath\\photo.jpg"],
    ["a Windows path that ends in a backslash", 'filename="C:\\dir\\"', "C:\\dir\\"],
    ["the same before another parameter", 'filename="C:\\dir\\"; x="y"', "C:\\dir\\"],
    ["quotes that nobody escaped", 'filename="a"b".txt"', 'a"b".txt'],
    ["an unterminated quote", 'filename="a.txt', '"a.txt'],
    ["UTF-8", 'filename="日本語📷.jpg"', "日本語📷.jpg"],
    ["upper case and spaces", 'FileName  =  "a.txt"', "a.txt"],
    ["nothing between semicolons", ';; filename="a.txt";', "a.txt"],
    ["the first of two", 'filename="a.txt"; filename="b.exe"', "a.txt"],
    ["RFC 2047, B", 'filename="=?utf-8?B?5pel5pys?= =?UTF-8?b?LnR4dA==?="', "日本.txt"],
    ["RFC 2047, Q", 'filename="=?iso-8859-1?Q?caf=E9_100%.txt?="', "café 100%.txt"],
    ["RFC 2047 of a charset that is not known", 'filename="=?x-none?B?QQ==?="', "=?x-none?B?QQ==?="],
    ["RFC 2047 as a part of a name", 'filename="a =?utf-8?B?QQ==?="', "a =?utf-8?B?QQ==?="],
  ];
  for (let [what, sent, filename] of cases) {
    test(what, () => expect(nameOf(sent)).toBe(filename));
  }

  test("bytes that are not UTF-8 are Latin-1", () => {
    expect(nameOf('filename="café.txt"', "latin1")).toBe("café.txt");
  });
});

describe("filename*", () => {
  let cases: [what: string, sent: string, filename: string][] = [
    ["alone", "filename*=UTF-8''na%C3%AFve%20%22.txt", 'naïve ".txt'],
    ["with a language", "filename*=utf-8'en-GB'a.txt", "a.txt"],
    ["wins over filename before it", "filename=\"plain.txt\"; filename*=UTF-8''%E2%82%AC.txt", "€.txt"],
    ["wins over filename behind it", "filename*=UTF-8''%E2%82%AC.txt; filename=\"plain.txt\"", "€.txt"],
    ["ISO-8859-1", "filename*=ISO-8859-1''%E9.txt", "é.txt"],
    ["in quotes", "filename*=\"UTF-8''a%20b.txt\"", "a b.txt"],
    ["raw UTF-8 in it", "filename*=UTF-8''é.txt", "é.txt"],
    [
      "loses with a broken percent sequence",
      "filename=\"plain.txt\"; filename*=UTF-8''100%.txt",
      "plain.txt",
    ],
    ["loses with bytes that are not UTF-8", "filename=\"plain.txt\"; filename*=UTF-8''%FF.txt", "plain.txt"],
    ["loses with an unknown charset", "filename=\"plain.txt\"; filename*=KOI8-R''%C1.txt", "plain.txt"],
    ["loses without charset", 'filename="plain.txt"; filename*=a.txt', "plain.txt"],
    ["is text when it is broken and alone", "filename*=100%.txt", "100%.txt"],
  ];
  for (let [what, sent, filename] of cases) {
    test(what, () => expect(nameOf(sent)).toBe(filename));
  }
});

test("the disposition and the field's name are read, whatever the order", () => {
  let header = 'Form-Data; filename="a.txt"; name="x\\"y"';
  expect(parseContentDisposition(header)).toEqual({ type: "form-data", name: 'x"y', filename: "a.txt" });
  expect(parseContentDisposition("attachment")).toEqual({ type: "attachment", name: null, filename: null });
});

test("a field name that ends in a backslash does not swallow the file name", () => {
  expect(parseContentDisposition('form-data; name="a\\"; filename="b.txt"').filename).toBe("b.txt");
});

test("a hostile header of 16 KiB costs milliseconds", async () => {
  for (let piece of [';a="x', '"', "\\", '\\"', " ;", '" ', "=", 'a="', "%", "=?a?B?", '";']) {
    let header = `form-data; filename="${piece.repeat(16_384 / piece.length)}`;
    let spentMs = await cpuMsOf(() => {
      parseHeaderParameters(header);
      parseContentDisposition(header);
    });
    expect(spentMs).toBeLessThan(100);
  }
});
