import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { AppError } from "../../src/errors.ts";
import { checkLargeCatalog } from "../../src/record/check-catalog.ts";
import { openCatalog } from "../../src/record/database.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { eventually } from "../support/server.ts";

const folder = mkdtempSync(join(tmpdir(), "check-catalog-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newCatalog(name: string): string {
  let path = join(folder, name, "uploads.db");
  let { db } = openCatalog({ path, tableName: "s3_uploads" });
  closeDatabase(db);
  return path;
}

/** Overwrites the pages behind the first, which SQLite needs to open the file. */
function spoil(path: string): void {
  let bytes = readFileSync(path);
  bytes.fill(0x5a, 4 * 4096);
  writeFileSync(path, bytes);
}

test("damage of a large catalog is found in a thread, and said with what to do", async () => {
  let path = newCatalog("damaged");
  spoil(path);
  let heard: AppError[] = [];
  let stop = checkLargeCatalog(path, (error) => heard.push(error), 0);
  await eventually(
    () => heard.length,
    (count) => count > 0,
  );
  stop();
  expect(heard).toHaveLength(1);
  expect(heard[0]?.message).toContain("uploads.db is damaged");
  expect(heard[0]?.message).toContain("run s3-uploads import");
});

test("a sound one, or one that is looked at before the start, is not spoken of", async () => {
  let sound = newCatalog("sound");
  let small = newCatalog("small");
  spoil(small);
  let heard: AppError[] = [];
  let stops = [
    checkLargeCatalog(sound, (error) => heard.push(error), 0),
    checkLargeCatalog(small, (error) => heard.push(error)),
  ];
  await Bun.sleep(300);
  for (let stop of stops) stop();
  expect(heard).toEqual([]);
});
