import { existsSync } from "node:fs";
import { join } from "node:path";

import type { Config } from "../config/config.ts";
import { toAppError } from "../errors.ts";
import { inspectCatalog } from "../record/database.ts";
import { checkSmallDatabase, isNewDatabase } from "../sqlite.ts";
import { openIntentsReader } from "../state/open-intents.ts";
import type { Report } from "./check.ts";

/** Whether a server could open the databases of the data folder, if it has any: what it says of them, before it is started. */
export function inspectDatabases(
  { data_dir, db_table_name: tableName }: Pick<Config, "data_dir" | "db_table_name">,
  report: Report,
): void {
  let state = join(data_dir, "internal", "state.db");
  let catalog = join(data_dir, "uploads.db");
  let looks = [
    [catalog, () => inspectCatalog({ path: catalog, tableName })],
    [state, () => openIntentsReader(state).close()],
  ] as const;
  for (let [path, open] of looks) {
    try {
      checkSmallDatabase(path);
      // The journal knows of its own whether an empty one is new.
      if (path === state || !isNewDatabase(path)) open();
      if (existsSync(path)) report("ok", "database", `${path} can be read`);
    } catch (error) {
      report("FAIL", "database", toAppError(error).message);
    }
  }
}
