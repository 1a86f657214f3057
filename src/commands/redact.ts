import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import type { Config } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { redactPositions } from "../record/redact.ts";
import { closeDatabase, lookAt } from "../sqlite.ts";
import { openStateDatabase } from "../state/database.ts";
import { lockDataFolder } from "../state/lock.ts";
import { emptyRemovedPositions } from "../state/removed-rows.ts";
import { counted } from "./counted.ts";
import type { CommandOptions } from "./options.ts";

export interface RedactCommand {
  config: Config;
  options: CommandOptions;
  stdout: (text: string) => void;
}

/** `redact --gps`: takes positions out of the catalog of a server that is stopped. Throws AppError. */
export function runRedact({ config, options, stdout }: RedactCommand): void {
  if (options["gps"] === undefined) {
    throw new AppError("invalid_parameter", "Say what to take out: s3-uploads redact --gps.");
  }
  let path = join(config.data_dir, "uploads.db");
  // The lock makes its folder.
  if (!lookAt(path)) {
    throw new AppError("invalid_parameter", `There is no catalog ${path}: look at data_dir.`);
  }
  let lock = lockDataFolder(config.data_dir, "redaction");
  try {
    let emptied = redactPositions({ path, tableName: config.db_table_name });
    stdout(`${path}: ${counted(emptied, "row")} had a position, none has one now.\n`);
    let removed = redactRemovedRows(config.data_dir);
    if (removed > 0) stdout(`So had ${counted(removed, "row")} that a repair had taken out of it.\n`);
  } finally {
    lock.release();
  }
  stdout("The stored files still tell where they were made, and so does every download of them.\n");
  stdout("So do snapshots and backups of the catalog that were made before.\n");
  if (config.gps === "keep") stdout("New files are recorded with theirs until you set gps to drop.\n");
  let copies = readdirSync(config.data_dir).filter((name) => name.startsWith("uploads.db.schema-"));
  if (copies.length > 0) {
    stdout(`Copies of before an upgrade still have positions: ${copies.join(", ")}. Delete them.\n`);
  }
}

/** What `reconcile --repair` took out of the catalog is kept in the private database. */
function redactRemovedRows(dataDir: string): number {
  let path = join(dataDir, "internal", "state.db");
  if (!existsSync(path)) return 0;
  let state = openStateDatabase(path);
  try {
    return emptyRemovedPositions(state);
  } finally {
    closeDatabase(state);
  }
}
