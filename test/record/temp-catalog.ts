import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLog } from "../../src/log.ts";
import type { FileRepository } from "../../src/record/file-repository.ts";
import { createSqliteRepository } from "../../src/record/sqlite-repository.ts";

export interface TempCatalogs {
  /** A path in a new folder; the folder is not there yet. */
  newPath(): string;
  open(path?: string, tableName?: string): FileRepository;
  /** Closes what was opened and removes every folder. */
  remove(): void;
}

/** Real catalogs in folders of their own, for one test file. */
export function tempCatalogs(): TempCatalogs {
  let folder = mkdtempSync(join(tmpdir(), "catalog-"));
  let opened: FileRepository[] = [];
  let made = 0;
  let newPath = () => join(folder, `${++made}`, "uploads.db");
  return {
    newPath,
    open(path = newPath(), tableName = "s3_uploads") {
      let files = createSqliteRepository({ path, tableName, log: silentLog });
      opened.push(files);
      return files;
    },
    remove() {
      for (let files of opened) files.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
