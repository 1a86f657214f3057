import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { noBrowser, openBrowser } from "../support/browser.ts";
import { corpusFiles, corpusMissing } from "../support/corpus.ts";
import { datasetteLines, environmentOf } from "../support/datasette-environments.ts";
import { type Datasette, noDatasette, startDatasette } from "../support/datasette.ts";
import { freePort } from "../support/free-port.ts";
import { skipUnlessCi } from "../support/needs.ts";
import { makeDataDir, startServer, type TestServer } from "../support/server.ts";
import { addedRows, listOf, namesIn, optionsOf, rowsOf } from "./answers.ts";

// Other programs start here, on a machine that may be busy.
setDefaultTimeout(60_000);

const noCorpus = skipUnlessCi(corpusMissing);
const largestCorpusFileBytes = 3_000_000;
const limitMs = 120_000;

/** Whatever the table is called, and whichever line opens it. */
describe.skipIf(noDatasette || noCorpus).each(["s3_uploads", "Photos"])(
  "the catalog with a table %s",
  (table) => {
    let dataDir = makeDataDir();
    let server: TestServer;

    beforeAll(async () => {
      let port = String(freePort());
      server = await startServer(dataDir, {
        PORT: port,
        S3_UPLOADS_PUBLIC_URL: `http://127.0.0.1:${port}`,
        S3_UPLOADS_DB_TABLE_NAME: table,
        // Who has not signed in may send files and see none.
        S3_UPLOADS_ALLOW_ANONYMOUS: "upload",
      });
      for (let [name, content] of corpusFiles(largestCorpusFileBytes)) await upload(name, content);
      // Once more, under another name.
      let [, first] = corpusFiles(largestCorpusFileBytes)[0]!;
      await upload("zanzibar harbour.bin", first);
    }, limitMs);

    afterAll(async () => {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });

    async function upload(name: string, body: Uint8Array): Promise<void> {
      let address = `${server.base}/upload/${encodeURIComponent(name)}`;
      let response = await fetch(address, { method: "PUT", body });
      expect(response.status).toBe(201);
      await response.arrayBuffer();
    }

    function catalogSays(sql: string): unknown[][] {
      using db = new Database(join(dataDir, "uploads.db"), { readonly: true });
      return db.query(sql).values();
    }

    describe.each(datasetteLines)("in Datasette, %s", (line) => {
      let datasette: Datasette;
      beforeAll(async () => {
        datasette = await startDatasette(line, optionsOf(line, dataDir));
      }, limitMs);
      afterAll(() => datasette[Symbol.asyncDispose]());

      test("shows one table and the views, and hides the rest", async () => {
        let found = await datasette.json<{ tables: { name: string; hidden: boolean }[]; views: object[] }>(
          "/uploads.json",
        );
        expect(found.tables.filter(({ hidden }) => !hidden).map(({ name }) => name)).toEqual([table]);
        expect(namesIn(found.views).toSorted()).toEqual(
          ["by_type", "duplicates", "images", "largest", "links", "per_day", "places"].map(
            (name) => `${table}_${name}`,
          ),
        );
        let databases = await datasette.json<object>("/-/databases.json");
        expect(namesIn(listOf(databases)).filter((name) => !name.startsWith("_"))).toEqual(["uploads"]);
      });

      test("tells what it is, and what each column holds", async () => {
        expect(await datasette.page(`/uploads/${table}`)).toContain("Uploaded files");
        let views = catalogSays("SELECT name FROM sqlite_schema WHERE type = 'view'").flat();
        for (let name of [table, ...views]) {
          let page = await datasette.page(`/uploads/${name}`);
          for (let [column] of catalogSays(`SELECT name FROM pragma_table_info('${name}')`)) {
            expect(page).toMatch(new RegExp(`<dt>${column}</dt><dd>[^<]{5,}</dd>`));
          }
        }
        let database = await datasette.page("/uploads");
        expect(database).toContain(`<a href="uploads/${table}_images">Images</a>: every picture`);
        expect(await datasette.page("/")).toContain("What was uploaded");
      });

      test("lists the newest first, fifty a page, and leads to the next", async () => {
        let first = await datasette.json<{ rows: unknown[]; next: string }>(
          `/uploads/${table}.json?_shape=objects`,
        );
        expect(first.rows).toHaveLength(50);
        expect(first.rows[0]).toMatchObject({ filename: "zanzibar harbour.bin" });
        let next = await rowsOf(datasette, `/uploads/${table}.json?_next=${first.next}`);
        let [[total]] = catalogSays(`SELECT count(*) FROM "${table}"`) as [[number]];
        expect(next.length).toBe(Math.min(50, total - 50));
      });

      test("finds any part of a name that has three letters or more", async () => {
        for (let search of ["anzib", "harbour", "ZANZ", "r.b", "zanzibar bin"]) {
          let rows = await rowsOf(datasette, `/uploads/${table}.json?_search=${encodeURIComponent(search)}`);
          expect(rows.map(({ filename }) => filename)).toContain("zanzibar harbour.bin");
        }
        expect(await rowsOf(datasette, `/uploads/${table}.json?_search=xyzzy`)).toEqual([]);
        let images = await rowsOf(datasette, `/uploads/${table}_images.json?_search=gps`);
        expect(images.length).toBeGreaterThan(3);
        expect(images.every(({ filename }) => String(filename).includes("gps"))).toBe(true);
      });

      test("facets by kind, type and day without being asked, and takes dates for dates", async () => {
        let facets = await datasette.json<{ facet_results: { results?: object } & object }>(
          `/uploads/${table}.json?_extra=facet_results&_facet_date=taken_at`,
        );
        let results = (facets.facet_results.results ?? facets.facet_results) as Record<
          string,
          { results: { value: string; count: number }[] }
        >;
        let counts = (column: string) =>
          Object.fromEntries(results[column]?.results.map(({ value, count }) => [value, count]) ?? []);
        let kinds = catalogSays(`SELECT kind, count(*) FROM "${table}" GROUP BY kind`);
        expect(counts("kind")).toEqual(Object.fromEntries(kinds));
        expect(counts("content_type")["image/jpeg"]).toBeGreaterThan(10);
        let today = catalogSays(`SELECT created_date, count(*) FROM "${table}" GROUP BY 1`);
        expect(counts("created_date")).toEqual(Object.fromEntries(today));
        expect(Object.keys(counts("taken_at"))).toContain("2008-05-30");
        let day = await rowsOf(datasette, `/uploads/${table}.json?taken_at__date=2008-05-30&_shape=objects`);
        expect(day.length).toBeGreaterThan(0);
      });

      test("answers in every view what it is asked", async () => {
        let of = (view: string) => rowsOf(datasette, `/uploads/${table}_${view}.json?_size=max`);
        let [[images, bytes, files]] = catalogSays(
          `SELECT count(*) FILTER (WHERE kind = 'image'), sum(size_bytes), count(*) FROM "${table}"`,
        ) as [[number, number, number]];
        expect(await of("images")).toHaveLength(images);
        let canon = (await of("images")).find(({ camera }) => String(camera).includes("EOS 40D"));
        expect(canon).toMatchObject({ camera: "Canon EOS 40D", taken_at: "2008-05-30T15:56:01" });
        expect(addedRows(await of("per_day"))).toEqual({ files, total_bytes: bytes });
        expect(addedRows(await of("by_type"))).toEqual({ files, total_bytes: bytes });
        let sizes = (await of("largest")).map(({ size_bytes }) => Number(size_bytes));
        expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
        let doubled = (await of("duplicates")).filter(({ ids }) => JSON.parse(String(ids)).includes(files));
        expect(doubled).toEqual([expect.objectContaining({ files: 2, objects: 2 })]);
        expect(doubled[0]?.["wasted_bytes"]).toBe(doubled[0]?.["size_bytes"]);
      });

      test("has what a map needs", async () => {
        let places = await rowsOf(datasette, `/uploads/${table}_places.json?_size=max`);
        expect(places.length).toBeGreaterThan(5);
        for (let { latitude, longitude } of places) {
          expect(Math.abs(Number(latitude))).toBeLessThanOrEqual(90);
          expect(Math.abs(Number(longitude))).toBeLessThanOrEqual(180);
        }
        for (let page of [table, `${table}_images`, `${table}_places`]) {
          expect(await datasette.page(`/uploads/${page}`)).toContain("datasette-cluster-map.js");
        }
      });

      test("makes links of the links", async () => {
        let [row] = await rowsOf(datasette, `/uploads/${table}_links.json`);
        expect(row).toMatchObject({
          page: `${server.base}/files/${row?.["id"]}`,
          download: `${server.base}/files/${row?.["id"]}/download`,
        });
        let page = await datasette.page(`/uploads/${table}_links`);
        expect(page).toContain(`<a href="${row?.["download"]}">`);
        expect((await fetch(String(row?.["download"]))).status).toBe(401);
      });

      test("opens a row by its name", async () => {
        expect(await datasette.page(`/uploads/${table}/1`)).toContain("checksum_sha256");
      });

      test("reads nothing else of the folder", async () => {
        let page = await datasette.page("/");
        for (let name of ["state", "lock", "internal"]) expect(page).not.toContain(`/${name}`);
      });

      test.skipIf(noBrowser)("leads nowhere else from its page, and from that of a query", async () => {
        await using browser = await openBrowser(`${datasette.base}/uploads`);
        let shown = `[...document.querySelectorAll(".metadata-description a")].filter((link) => link.checkVisibility()).map((link) => link.href)`;
        let links = await browser.ask<string[]>(shown);
        expect(links).toHaveLength(8);
        for (let link of links) expect((await fetch(link)).status).toBe(200);
        await browser.goto(`${datasette.base}/uploads?sql=select+1`);
        expect(await browser.ask<string[]>(shown)).toEqual([]);
      });

      test.skipIf(noBrowser)("leads a person from the start to one file", async () => {
        await using browser = await openBrowser(datasette.base);
        let rows = "document.querySelectorAll('table.rows-and-columns tbody tr').length";
        await browser.click('a[href="/uploads"]');
        await browser.until(`document.body?.innerText.includes("Every file")`);
        await browser.click(`a[href="uploads/${table}"]`);
        await browser.until(`${rows} === 50`);
        // Descriptions do not push the search off the first screen.
        let top = await browser.ask<number>(
          "document.querySelector('input[name=_search]').getBoundingClientRect().top",
        );
        expect(top).toBeLessThan(700);
        await browser.ask(
          "(document.querySelector('input[name=_search]').value = 'anzibar', document.querySelector('form.filters').submit())",
        );
        await browser.until(`${rows} === 1`);
        expect(await browser.textOf("table.rows-and-columns tbody")).toContain("zanzibar harbour.bin");
        await browser.click("table.rows-and-columns tbody td a");
        await browser.until(`document.body?.innerText.includes("checksum_sha256") && ${rows} === 1`);
      });

      test.skipIf(noBrowser)(
        "draws our thumbnails for whoever has not signed in",
        async () => {
          await using browser = await openBrowser(`${datasette.base}/uploads/${table}_images?_size=20`);
          let pictures = `[...document.querySelectorAll("td.col-thumbnail img")]`;
          await browser.until(
            `${pictures}.length > 4 && ${pictures}.every((image) => image.complete)`,
            60_000,
          );
          let drawn = await browser.ask<number>(
            `${pictures}.filter((image) => image.naturalWidth > 1).length`,
          );
          expect(drawn).toBeGreaterThan(3);
          let [address] = await browser.ask<string[]>(`${pictures}.map((image) => image.src)`);
          expect((await fetch(address!)).status).toBe(200);
          expect((await fetch(address!.replace(/signature=.*/, "signature=x"))).status).toBe(401);
          let byNumber = address!.replace(/files\/[^/]+/, "files/1");
          expect((await fetch(byNumber)).status).toBe(401);
        },
        limitMs,
      );

      test.skipIf(noBrowser)(
        "draws a map",
        async () => {
          await using browser = await openBrowser(`${datasette.base}/uploads/${table}_places`);
          await browser.until(`document.querySelectorAll(".leaflet-marker-icon").length > 3`, 30_000);
        },
        limitMs,
      );
    });

    describe("in other programs", () => {
      test("sqlite-utils reads it while it is open", () => {
        let tool = join(environmentOf("stable"), "bin/sqlite-utils");
        let path = join(dataDir, "uploads.db");
        let { stdout, stderr } = Bun.spawnSync([
          tool,
          "rows",
          path,
          table,
          "-c",
          "filename",
          "--order",
          "id",
          "--limit",
          "1",
        ]);
        expect(stderr.toString()).toBe("");
        expect(JSON.parse(stdout.toString())).toHaveLength(1);
        let search = Bun.spawnSync([tool, "search", path, table, "zanzibar", "-c", "filename"]);
        expect(JSON.parse(search.stdout.toString())).toEqual([{ filename: "zanzibar harbour.bin" }]);
      });

      test.skipIf(
        skipUnlessCi(Bun.which("sqlite3") ? null : "the sqlite3 tool is missing (apt-get install sqlite3)"),
      )("the sqlite3 tool reads every view", () => {
        for (let [view] of catalogSays("SELECT name FROM sqlite_schema WHERE type = 'view'")) {
          let sql = `SELECT count(*) FROM "${view}"`;
          let { stdout, stderr } = Bun.spawnSync(["sqlite3", "-readonly", join(dataDir, "uploads.db"), sql]);
          expect(stderr.toString()).toBe("");
          expect(Number(stdout.toString())).toBeGreaterThan(0);
        }
      });
    });

    describe.each(datasetteLines)("a snapshot in Datasette, %s", (line) => {
      test(
        "opens with -i, with the same texts, and has no thumbnails of what only some may see",
        async () => {
          let target = join(dataDir, "objects", line, "uploads.db");
          Bun.spawnSync(["mkdir", "-p", join(dataDir, "objects", line)]);
          let command = Bun.spawnSync(
            [process.execPath, "src/main.ts", "snapshot", target, "--redact", "gps", "--data-dir", dataDir],
            {
              cwd: join(import.meta.dir, "../.."),
              env: {
                PATH: process.env["PATH"] ?? "",
                S3_UPLOADS_PUBLIC_URL: new URL(server.base).origin,
                S3_UPLOADS_DB_TABLE_NAME: table,
                S3_UPLOADS_ALLOW_ANONYMOUS: "upload",
              },
            },
          );
          expect(command.stderr.toString()).toBe("");
          await using datasette = await startDatasette(line, [
            "-i",
            target,
            "-m",
            join(dataDir, "metadata.yaml"),
          ]);
          let found = await rowsOf(datasette, `/uploads/${table}.json?_search=zanzibar`);
          expect(found).toHaveLength(1);
          let images = await rowsOf(datasette, `/uploads/${table}_images.json`);
          expect(images.length).toBeGreaterThan(10);
          expect(images[0]).not.toContainKey("thumbnail");
          expect(await rowsOf(datasette, `/uploads/${table}_places.json`)).toEqual([]);
          expect(await datasette.page(`/uploads/${table}`)).toContain("Uploaded files");
          expect(readFileSync(target).includes("signature=")).toBe(false);
        },
        limitMs,
      );
    });
  },
);
