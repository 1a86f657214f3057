import { afterAll, beforeAll, expect, test } from "bun:test";

import { AppError } from "../../src/errors.ts";
import type { FileRepository } from "../../src/record/file-repository.ts";
import { createTestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

let { ask, addFile, repository, close } = createTestApp();
afterAll(close);
beforeAll(async () => {
  await addFile("1", { filename: "plain.txt", latitude: -33.5, longitude: 151 });
  await addFile("2", { filename: `=HYPERLINK("http://evil","x")`, metadata: { make: 'A "B", C' } });
  await addFile("3", { filename: "été 北京 🎉.txt" });
});

const header =
  "id,uid,filename,storage,bucket,s3_key,content_type,kind,size_bytes,checksum_sha256,width,height,taken_at,latitude,longitude,metadata_json,created_at,created_date";

test("every row of the query as RFC 4180, whatever page was asked for", async () => {
  let response = await ask("/files.csv?_sort=id&_size=1");
  expect(response.headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
  expect(response.headers.get("Content-Disposition")).toBe('attachment; filename="files.csv"');
  let [first, ...rows] = (await response.text()).split("\r\n");
  expect(first).toBe(header);
  expect(rows).toHaveLength(4);
  expect(rows.pop()).toBe("");
  expect(rows[0]).toContain(",plain.txt,local,local,");
  expect(rows[0]).toContain(",-33.5,151,{},");
  expect(rows[1]).toContain(`,"'=HYPERLINK(""http://evil"",""x"")",`);
  expect(rows[1]).toContain(`,"{""make"":""A \\""B\\"", C""}",`);
  expect(rows[2]).toContain(",été 北京 🎉.txt,");
});

test("a search narrows it", async () => {
  expect((await (await ask("/files.csv?_search=plain")).text()).split("\r\n")).toHaveLength(3);
});

test("HEAD reads no rows", async () => {
  let watched: FileRepository = {
    ...repository,
    iterate: () => {
      throw new Error("read");
    },
  };
  let app = createTestApp({ repository: watched });
  let response = await app.ask("/files.csv", { method: "HEAD" });
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toStartWith("text/csv");
});

test.each(["=1", "+1", "-1", "@x", "＝1", "＋1", "－1", "＠x", "\tx", "\rx", "\nx"])(
  "a name beginning as %j does is no formula",
  async (name) => {
    let app = createTestApp();
    await app.addFile("x", { filename: name });
    expect(await (await app.ask("/files.csv")).text()).toMatch(/,"?'[=+\-@＝＋－＠\t\r\n]/);
    app.close();
  },
);

test("a catalog that fails at once is a failure, and one that fails later breaks off", async () => {
  let [row] = (await repository.list({ size: 1 })).rows;
  if (!row) throw new Error("no row");
  let failing = (after: number): FileRepository => ({
    ...repository,
    async *iterate() {
      for (let i = 0; i < after; i += 1) yield row;
      throw new AppError("server_busy");
    },
    close() {},
  });
  let atOnce = createTestApp({ repository: failing(0) });
  await expectError(await atOnce.ask("/files.csv"), 503, "server_busy");
  atOnce.close();
  let later = createTestApp({ repository: failing(5) });
  let response = await later.ask("/files.csv");
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow(AppError);
  later.close();
});

test("rows are read no faster than the client takes them, and no more when it goes", async () => {
  let [row] = (await repository.list({ size: 1 })).rows;
  if (!row) throw new Error("no row");
  let given = 0;
  let ended = false;
  let endless: FileRepository = {
    ...repository,
    async *iterate() {
      try {
        for (;;) {
          given += 1;
          yield row;
        }
      } finally {
        ended = true;
      }
    },
    close() {},
  };
  let app = createTestApp({ repository: endless });
  let reader = (await app.ask("/files.csv")).body?.getReader();
  await reader?.read();
  expect(given).toBeLessThan(5_000);
  await reader?.cancel();
  expect(ended).toBe(true);
  app.close();
});
