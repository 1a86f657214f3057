import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import type { FileRepository } from "../../src/record/file-repository.ts";
import { maxSearchCharacters, maxSearchWords, parseSearch } from "../../src/record/search.ts";
import { newFile } from "./new-file.ts";
import { tempCatalogs } from "./temp-catalog.ts";

const catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

const names = [
  "Élan Vital.PDF",
  "北京 2024.jpg",
  "上海北.txt",
  "party 🎉 photo.png",
  "100% sure_thing.txt",
  "100 sure-thing.txt",
  'say "hello" AND leave.md',
  "it's mine.doc",
  "back\\slash.txt",
  "ΣΊΣΥΦΟΣ.txt",
  "straße.txt",
  "a*b.txt",
  "(x) OR {y}: -z ^w + near.txt",
  "x",
];

let files: FileRepository;
beforeAll(async () => {
  files = catalogs.open();
  for (let filename of names) await files.create(newFile({ filename }), "store");
});

async function found(search: string): Promise<string[]> {
  return (await files.list({ search, sort: { column: "id", descending: false } })).rows.map(
    (row) => row.filename,
  );
}

describe("a search finds", () => {
  const cases: [string, string[]][] = [
    ["vital", ["Élan Vital.PDF"]],
    ["ITA", ["Élan Vital.PDF"]],
    ["pdf", ["Élan Vital.PDF"]],
    ["élan", ["Élan Vital.PDF"]],
    ["ÉLAN", ["Élan Vital.PDF"]],
    ["E\u0301lan", ["Élan Vital.PDF"]],
    ["elan", []],
    ["é", ["Élan Vital.PDF"]],
    ["ÉL", ["Élan Vital.PDF"]],
    ["él vi", ["Élan Vital.PDF"]],
    ["北京", ["北京 2024.jpg"]],
    ["北", ["北京 2024.jpg", "上海北.txt"]],
    ["北京 2024", ["北京 2024.jpg"]],
    ["2024 北京", ["北京 2024.jpg"]],
    ["上海北", ["上海北.txt"]],
    ["🎉", ["party 🎉 photo.png"]],
    ["🎉 photo", ["party 🎉 photo.png"]],
    ["photo 🎊", []],
    ["100%", ["100% sure_thing.txt"]],
    ["%", ["100% sure_thing.txt"]],
    ["0%", ["100% sure_thing.txt"]],
    ["_", ["100% sure_thing.txt"]],
    ["e_", ["100% sure_thing.txt"]],
    ["sure_thing", ["100% sure_thing.txt"]],
    ['"', ['say "hello" AND leave.md']],
    ['"hello"', ['say "hello" AND leave.md']],
    ['lo" AND', ['say "hello" AND leave.md']],
    ["hello AND leave", ['say "hello" AND leave.md']],
    ["leave hello", ['say "hello" AND leave.md']],
    ["hello OR vital", []],
    ["NOT hello", []],
    ["'", ["it's mine.doc"]],
    ["it's", ["it's mine.doc"]],
    ["\\", ["back\\slash.txt"]],
    ["k\\s", ["back\\slash.txt"]],
    ["σίσυφοσ", ["ΣΊΣΥΦΟΣ.txt"]],
    ["σ", ["ΣΊΣΥΦΟΣ.txt"]],
    ["ß", ["straße.txt"]],
    ["aße", ["straße.txt"]],
    ["*", ["a*b.txt"]],
    ["a*b", ["a*b.txt"]],
    ["a*", ["a*b.txt"]],
    ["pho*", []],
    ["(x)", ["(x) OR {y}: -z ^w + near.txt"]],
    ["NEAR( -z", []],
    ["{y}: OR", ["(x) OR {y}: -z ^w + near.txt"]],
    ["^w + -z", ["(x) OR {y}: -z ^w + near.txt"]],
    ["filename:x", []],
  ];
  test.each(cases)("%s", async (search, wanted) => {
    expect(await found(search)).toEqual(wanted);
  });

  test("everything when it is blank", async () => {
    for (let search of ["", "  ", "\t\n", "\u3000", "\0"]) expect(await found(search)).toEqual(names);
  });

  test("a name of one letter", async () => {
    expect(await found("x")).toContain("x");
  });

  test("nothing, and breaks nothing, when the text is broken", async () => {
    for (let search of ["\ud83c", "abc\ud83c", "abc\0def ghi", "\u202eabcd"])
      expect(await found(search)).toEqual([]);
  });
});

describe("the index follows", () => {
  test("a renamed and a deleted row", async () => {
    let path = catalogs.newPath();
    let own = catalogs.open(path);
    let { record } = await own.create(newFile({ filename: "before.txt" }), "store");
    let search = async (text: string) => (await own.list({ search: text })).rows.length;
    let db = new (await import("bun:sqlite")).Database(path);
    db.run("UPDATE s3_uploads SET filename = 'after.txt'");
    db.close();
    expect([await search("before"), await search("after")]).toEqual([0, 1]);
    await own.finishDelete(record.id);
    expect(await search("after")).toBe(0);
  });
});

describe("a search that is too long is refused", () => {
  test("by characters and by words", () => {
    expect(() => parseSearch("x".repeat(maxSearchCharacters + 1))).toThrow("at most");
    expect(() => parseSearch("ab ".repeat(maxSearchWords + 1))).toThrow("at most");
    expect(parseSearch("x".repeat(maxSearchCharacters))).not.toBeNull();
  });

  test("and the longest one that is not is answered", async () => {
    expect(await found("é北 ".repeat(maxSearchWords))).toEqual([]);
    expect(await found("photo ".repeat(maxSearchWords))).toHaveLength(1);
  });
});
