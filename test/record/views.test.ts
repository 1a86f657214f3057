import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";

import { catalogViews } from "../../src/datasette/views.ts";
import { silentLog } from "../../src/log.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";
import { type CatalogView, remakeViews } from "../../src/record/views.ts";
import { newFile } from "./new-file.ts";
import { tempCatalogs } from "./temp-catalog.ts";

const catalogs = tempCatalogs();
afterAll(() => catalogs.remove());

const links = {
  files: "https://x.example/it's/files",
  thumbnailSignature: "sig+/=",
  drawnTypes: ["image/png"],
};

/** A catalog with these views, opened and closed as a server does. */
async function catalogWith(
  views: (table: string) => readonly CatalogView[],
  { path = catalogs.newPath(), tableName = "s3_uploads", files = [] as object[], log = silentLog } = {},
): Promise<string> {
  let repository = createSqliteRepository({ path, tableName, log, views });
  for (let file of files) await repository.create(newFile(file), "store");
  repository.close();
  return path;
}

function ask(path: string, sql: string): Record<string, unknown>[] {
  using db = new Database(path, { readonly: true });
  return db.query(sql).all() as Record<string, unknown>[];
}

function viewNames(path: string): unknown[] {
  return ask(path, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name").map(
    ({ name }) => name,
  );
}

describe("the views of a catalog", () => {
  test.each(["s3_uploads", "Photos", "order", "_private", "T".repeat(63)])(
    "can all be read over %s",
    async (tableName) => {
      let path = await catalogWith((table) => catalogViews(table, links), { tableName, files: [{}] });
      expect(viewNames(path)).toHaveLength(7);
      for (let name of viewNames(path)) ask(path, `SELECT * FROM "${name}"`);
    },
  );

  test.each([
    ["with links", links],
    ["without", null],
  ])("describe every column that they have, in its order, %s", async (_, given) => {
    let path = await catalogWith((table) => catalogViews(table, given));
    for (let { name, columns } of catalogViews("s3_uploads", given)) {
      let found = ask(path, `SELECT name FROM pragma_table_info('${name}')`);
      expect([name, ...found.map((column) => column["name"])]).toEqual([name, ...Object.keys(columns)]);
    }
  });

  test("are made anew at each start, and those that are no longer wanted go", async () => {
    let path = await catalogWith((table) => catalogViews(table, links));
    expect(viewNames(path)).toContain("s3_uploads_links");
    let before = ask(path, "PRAGMA schema_version");
    await catalogWith((table) => catalogViews(table, links), { path });
    // As they are wanted: readers need not read the schema again.
    expect(ask(path, "PRAGMA schema_version")).toEqual(before);
    await catalogWith((table) => catalogViews(table, null), { path });
    expect(viewNames(path)).not.toContain("s3_uploads_links");
    expect(ask(path, "SELECT sql FROM sqlite_schema WHERE sql LIKE '%sig+/=%'")).toEqual([]);
  });

  test("go along when an empty table gets another name", async () => {
    let path = await catalogWith((table) => catalogViews(table, null));
    await catalogWith((table) => catalogViews(table, null), { path, tableName: "Photos" });
    expect(viewNames(path).every((name) => String(name).startsWith("Photos_"))).toBe(true);
  });

  test("never touch what somebody else made, also where it has their name", async () => {
    let path = catalogs.newPath();
    catalogs.open(path).close();
    let db = new Database(path);
    db.run("CREATE VIEW mine AS SELECT 1 AS one");
    db.run("CREATE VIEW S3_uploads_images AS SELECT 2 AS two");
    db.close();
    let warned: object[] = [];
    let log = { ...silentLog, warn: (facts: object) => void warned.push(facts) };
    await catalogWith((table) => catalogViews(table, null), { path, log });
    expect(warned).toEqual([{ missing: ["s3_uploads_images"] }]);
    expect(ask(path, "SELECT * FROM mine")).toEqual([{ one: 1 }]);
    expect(ask(path, "SELECT * FROM s3_uploads_images")).toEqual([{ two: 2 }]);
    expect(viewNames(path)).toContain("s3_uploads_places");
  });

  test("fail as a whole, and leave those that were there", () => {
    let path = catalogs.newPath();
    catalogs.open(path).close();
    let db = new Database(path);
    remakeViews(db, [{ name: "a", sql: "SELECT 1 AS one" }]);
    expect(() => remakeViews(db, [{ name: "b", sql: "SELECT FROM" }])).toThrow();
    db.close();
    expect(viewNames(path)).toEqual(["a"]);
  });
});

describe("a cell", () => {
  test("of a thumbnail is what datasette-json-html draws, whatever the name is", async () => {
    let filename = `"quoted" it's <b> ☃.png`;
    let files = [
      { filename, kind: "image", content_type: "image/png" },
      { filename: "x.tiff", kind: "image", content_type: "image/tiff" },
    ];
    let path = await catalogWith((table) => catalogViews(table, links), { files });
    let rows = ask(path, "SELECT thumbnail FROM s3_uploads_images ORDER BY id");
    let [{ uid } = {}] = ask(path, "SELECT uid FROM s3_uploads WHERE id = 1");
    expect(JSON.parse(String(rows[0]?.["thumbnail"]))).toEqual({
      img_src: `https://x.example/it's/files/${uid}/thumbnail?signature=sig%2B%2F%3D`,
      href: "https://x.example/it's/files/1",
      alt: filename,
      width: 160,
    });
    expect(rows[1]).toEqual({ thumbnail: null });
  });

  test("of a camera has its maker once", async () => {
    let cameras: [object, string | null][] = [
      [{ make: "Canon", model: "Canon EOS 40D" }, "Canon EOS 40D"],
      [{ make: "NIKON", model: "Nikon D90" }, "Nikon D90"],
      [{ make: "Apple", model: "iPhone 4S" }, "Apple iPhone 4S"],
      [{ make: "Apple" }, "Apple"],
      [{ model: "D90" }, "D90"],
      [{}, null],
    ];
    let files = cameras.map(([metadata]) => ({ kind: "image", metadata }));
    let path = await catalogWith((table) => catalogViews(table, null), { files });
    let rows = ask(path, "SELECT camera FROM s3_uploads_images ORDER BY id");
    expect(rows.map(({ camera }) => camera)).toEqual(cameras.map(([, camera]) => camera));
  });
});

test("the largest files lead to their pages where the address is known", async () => {
  let path = await catalogWith((table) => catalogViews(table, links), { files: [{}] });
  expect(ask(path, "SELECT page FROM s3_uploads_largest")).toEqual([
    { page: "https://x.example/it's/files/1" },
  ]);
});

test("duplicates tell what is wasted, and that linked files waste nothing", async () => {
  let same = { checksum_sha256: "a".repeat(64), size_bytes: 10 };
  let linked = { checksum_sha256: "b".repeat(64), size_bytes: 1000, s3_key: "uploads/one" };
  let files = [{}, same, linked, same, { ...same, filename: "last" }, linked];
  let path = await catalogWith((table) => catalogViews(table, null), { files });
  expect(
    ask(path, "SELECT files, objects, size_bytes, wasted_bytes, ids FROM s3_uploads_duplicates"),
  ).toEqual([
    { files: 3, objects: 3, size_bytes: 10, wasted_bytes: 20, ids: "[2,4,5]" },
    { files: 2, objects: 1, size_bytes: 1000, wasted_bytes: 0, ids: "[3,6]" },
  ]);
});
