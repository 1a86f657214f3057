import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { generateCatalog } from "../record/generated.ts";
import { datasetteLines } from "../support/datasette-environments.ts";
import { type Datasette, noDatasette, startDatasette } from "../support/datasette.ts";
import { makeDataDir, startServer } from "../support/server.ts";
import { addedRows, optionsOf, rowsOf } from "./answers.ts";

// Other programs start here, on a machine that may be busy.
setDefaultTimeout(60_000);

const rows = 100_000;
const limitMs = 180_000;

describe.skipIf(noDatasette)(`a catalog of ${rows} rows`, () => {
  let dataDir = makeDataDir();

  beforeAll(async () => {
    generateCatalog(join(dataDir, "uploads.db"), "s3_uploads", rows);
    // Makes views and files for Datasette.
    let server = await startServer(dataDir, { S3_UPLOADS_PUBLIC_URL: "https://files.example.org" });
    await server.stop();
  }, limitMs);
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  describe.each(datasetteLines)("in Datasette, %s", (line) => {
    let datasette: Datasette;
    beforeAll(async () => {
      datasette = await startDatasette(line, optionsOf(line, dataDir));
    }, limitMs);
    afterAll(() => datasette[Symbol.asyncDispose]());

    test(
      "lists, searches and facets",
      async () => {
        let [newest] = await rowsOf(datasette, "/uploads/s3_uploads.json");
        expect(newest).toMatchObject({ id: rows });
        let found = await rowsOf(datasette, "/uploads/s3_uploads.json?_search=harbour+roof&_size=100");
        expect(found).toHaveLength(100);
        let answer = await datasette.json<{ facet_results: Record<string, unknown> }>(
          "/uploads/s3_uploads.json?_extra=facet_results,facets_timed_out",
        );
        expect(JSON.stringify(answer)).not.toContain('"facets_timed_out":["');
        let facets = (answer.facet_results["results"] ?? answer.facet_results) as Record<
          string,
          { results: { count: number }[] }
        >;
        expect(Object.keys(facets).toSorted()).toEqual(["content_type", "created_date", "kind"]);
        let kinds = facets["kind"]?.results.map(({ count }) => count) ?? [];
        expect(kinds.reduce((sum, count) => sum + count, 0)).toBe(rows);
      },
      limitMs,
    );

    test(
      "answers in every view",
      async () => {
        let of = (view: string) => rowsOf(datasette, `/uploads/s3_uploads_${view}.json?_size=max`);
        expect(addedRows(await of("by_type")).files).toBe(rows);
        expect(await of("per_day")).toHaveLength(365);
        expect(await of("largest")).toHaveLength(1000);
        expect(await of("duplicates")).toEqual([expect.objectContaining({ files: rows / 100 })]);
        expect(await of("places")).toHaveLength(1000);
        expect((await of("images"))[0]).toMatchObject({ camera: "Canon EOS 5D" });
        expect(
          await rowsOf(datasette, "/uploads/s3_uploads_images.json?_search=map&_sort=size_bytes"),
        ).toHaveLength(50);
      },
      limitMs,
    );

    test(
      "gives pages for people",
      async () => {
        for (let page of [
          "/uploads",
          "/uploads/s3_uploads",
          "/uploads/s3_uploads_images",
          "/uploads/s3_uploads/77777",
        ]) {
          let html = await datasette.page(page);
          expect(html).not.toMatch(/time limit|timed out|interrupted/i);
        }
      },
      limitMs,
    );
  });

  // What takes long on a busy machine says nothing; which way SQLite goes does.
  test.each([
    [
      "the facet of kinds",
      "SELECT kind, count(*) FROM s3_uploads GROUP BY kind",
      "COVERING INDEX s3_uploads_kind",
    ],
    [
      "the facet of types",
      "SELECT content_type, count(*) FROM s3_uploads GROUP BY content_type",
      "COVERING INDEX",
    ],
    [
      "the facet of days",
      "SELECT created_date, count(*) FROM s3_uploads GROUP BY created_date",
      "COVERING INDEX",
    ],
    ["uploads per day", "SELECT * FROM s3_uploads_per_day", "COVERING INDEX s3_uploads_created_date"],
    ["by type", "SELECT * FROM s3_uploads_by_type", "COVERING INDEX s3_uploads_type_sizes"],
    ["duplicates", "SELECT * FROM s3_uploads_duplicates", "COVERING INDEX s3_uploads_checksum_sha256"],
    ["the largest", "SELECT * FROM s3_uploads_largest LIMIT 51", "INDEX s3_uploads_size_bytes"],
    [
      "the number of images",
      "SELECT count(*) FROM (SELECT * FROM s3_uploads_images)",
      "COVERING INDEX s3_uploads_kind",
    ],
    ["the number of places", "SELECT count(*) FROM s3_uploads_places", "INDEX s3_uploads_positions"],
    ["the number of links", "SELECT count(*) FROM s3_uploads_links", "COVERING INDEX"],
    [
      "the rows of a map",
      "SELECT id FROM s3_uploads WHERE latitude IS NOT NULL AND latitude <> '' LIMIT 1000",
      "INDEX s3_uploads_positions",
    ],
  ])("%s is read along an index", (_, sql, index) => {
    using db = new Database(join(dataDir, "uploads.db"), { readonly: true });
    let plan = db.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`).all();
    expect(plan.map(({ detail }) => detail).join("\n")).toContain(index);
  });

  // As metadata.yaml sorts them: what sorts a million rows is over Datasette's time.
  test.each([
    "s3_uploads",
    "s3_uploads WHERE kind = 'image'",
    "s3_uploads WHERE content_type = 'text/csv'",
    "s3_uploads WHERE kind = 'image' AND content_type = 'image/png'",
    `s3_uploads WHERE id IN (SELECT rowid FROM s3_uploads_fts WHERE s3_uploads_fts MATCH '"harbour"')`,
    "s3_uploads_images",
    "s3_uploads_places",
    "s3_uploads_links",
    `s3_uploads_links WHERE id IN (SELECT rowid FROM s3_uploads_fts WHERE s3_uploads_fts MATCH '"roof"')`,
  ])("the newest of %s are there without sorting", (rowsOfIt) => {
    using db = new Database(join(dataDir, "uploads.db"), { readonly: true });
    let sql = `EXPLAIN QUERY PLAN SELECT * FROM ${rowsOfIt} ORDER BY id DESC LIMIT 51`;
    let plan = db.query<{ detail: string }, []>(sql).all();
    expect(plan.map(({ detail }) => detail).join("\n")).not.toContain("TEMP B-TREE");
  });
});
