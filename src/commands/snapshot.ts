import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { createThumbnailSignature } from "../auth/thumbnail-signature.ts";
import type { Config } from "../config/config.ts";
import { thumbnailSecretPath, viewsOf } from "../datasette/views-of-config.ts";
import { AppError } from "../errors.ts";
import { writeSnapshot } from "../record/snapshot.ts";
import { openSecretFile } from "../state/secret-file.ts";
import { KIB, MIB } from "../units.ts";
import { counted } from "./counted.ts";
import { type CommandOptions, valueOf } from "./options.ts";

export interface SnapshotCommand {
  config: Config;
  /** The file to be made. */
  positionals: readonly string[];
  options: CommandOptions;
  stdout: (text: string) => void;
}

/** `snapshot FILE [--redact gps] [--replace]`, also beside a running server. Throws AppError. */
export function runSnapshot({ config, positionals, options, stdout }: SnapshotCommand): void {
  let redact = valueOf(options, "redact");
  if (redact !== undefined && redact.toLowerCase() !== "gps") {
    throw misused(`--redact takes gps, not “${redact}”.`, "--redact");
  }
  let target = resolve(positionals[0] ?? "");
  if (!isFolder(dirname(target))) throw misused(`There is no folder ${dirname(target)}.`, "FILE");
  let { files, bytes, emptied } = writeSnapshot({
    path: join(config.data_dir, "uploads.db"),
    tableName: config.db_table_name,
    target,
    replace: options["replace"] === true,
    keepPositions: redact === undefined,
    views: (table) => viewsOf(config, table, signatureOf(config)),
  });
  let without = redact === undefined ? "" : `, without positions (${counted(emptied, "row")} had one)`;
  stdout(`${target}: ${counted(files, "file")}, ${size(bytes)}${without}\n`);
  stdout(`Open it with: datasette -i ${shellWord(target)}\n`);
}

/** Who has the copy need not see more of the pictures than anybody may: else it has no thumbnails. */
function signatureOf(config: Config): string | null {
  if (!config.allow_anonymous.includes("view")) return null;
  return createThumbnailSignature(openSecretFile(thumbnailSecretPath(config.data_dir))).value;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function size(bytes: number): string {
  return bytes < MIB ? `${Math.ceil(bytes / KIB)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}

function shellWord(path: string): string {
  return /^[\w./~+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

function misused(sentence: string, parameter: string): AppError {
  return new AppError("invalid_parameter", sentence, { details: { parameter } });
}
