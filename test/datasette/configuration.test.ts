import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { datasetteLines } from "../support/datasette-environments.ts";
import { noDatasette, startDatasette } from "../support/datasette.ts";
import { makeDataDir, startServer } from "../support/server.ts";
import { rowsOf } from "./answers.ts";

// Other programs start here, on a machine that may be busy.
setDefaultTimeout(60_000);

const limitMs = 60_000;

let dataDirs: string[] = [];
afterAll(() => dataDirs.forEach((dataDir) => rmSync(dataDir, { recursive: true, force: true })));

const block = {
  db_table_name: "Photos",
  base_path: { $file: "base-path.txt" },
  gps: { $env: "OUR_GPS" },
  allowed_extensions: ["jpg", "txt"],
  max_file_size_mb: 7,
};
const documents = {
  "metadata.json": {
    title: "Our data",
    databases: { uploads: { tables: { Photos: { title: "Our photos" } } } },
    plugins: { "datasette-cluster-map": { container: "#map" }, "datasette-s3-uploads": block },
  },
  "datasette.yaml": {
    settings: { default_page_size: 17 },
    databases: { uploads: { tables: { Photos: { size: 5 } } } },
    plugins: { "datasette-s3-uploads": block },
  },
};

describe.each(Object.entries(documents))("a Datasette configuration, %s", (name, document) => {
  function newFolder(): { dataDir: string; config: string; text: string } {
    let dataDir = makeDataDir();
    dataDirs.push(dataDir);
    mkdirSync(dataDir, { recursive: true });
    let config = join(dataDir, name);
    let text = name.endsWith(".json") ? JSON.stringify(document) : Bun.YAML.stringify(document, null, 2);
    writeFileSync(config, text);
    writeFileSync(join(dataDir, "base-path.txt"), "/-/photos\n");
    return { dataDir, config, text };
  }

  test("configures the server by its plugin's block, and stays as it is", async () => {
    let { dataDir, config, text } = newFolder();
    let server = await startServer(dataDir, { S3_UPLOADS_CONFIG: config, OUR_GPS: "drop" });
    try {
      expect(server.base).toEndWith("/-/photos");
      let sent = await fetch(`${server.base}/upload/a.txt`, { method: "PUT", body: "a" });
      expect(sent.status).toBe(201);
      let refused = await fetch(`${server.base}/upload/a.exe`, { method: "PUT", body: "a" });
      expect(await refused.json()).toMatchObject({ error: { code: "type_not_allowed" } });
    } finally {
      await server.stop();
    }
    expect(readFileSync(config, "utf8")).toBe(text);
  });

  test.skipIf(noDatasette).each(datasetteLines)(
    "is still Datasette's own, %s",
    async (line) => {
      let { dataDir, config } = newFolder();
      let server = await startServer(dataDir, { S3_UPLOADS_CONFIG: config, OUR_GPS: "drop" });
      try {
        await fetch(`${server.base}/upload/a.txt`, { method: "PUT", body: "a" });
        await using datasette = await startDatasette(line, [dataDir]);
        expect(await rowsOf(datasette, "/uploads/Photos.json")).toHaveLength(1);
        let page = await datasette.page("/uploads/Photos");
        expect(page).toContain(name === "metadata.json" ? "Our photos" : "Uploaded files");
      } finally {
        await server.stop();
      }
    },
    limitMs,
  );
});
