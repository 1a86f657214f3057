import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, extname, join } from "node:path";

import type { Log } from "../log.ts";
import { describeForDatasette } from "./describe.ts";
import type { DescribedView } from "./views.ts";

/** What became of one file. */
export interface WrittenFile {
  name: string;
  /**
   * `theirs`: a person has written or edited it, or one of its name in another format, or has put a link in its place, or
   * has made it read-only; it stays as it is.
   */
  state: "written" | "unchanged" | "theirs" | "failed";
}

const endings = [".yaml", ".yml", ".json"];
const mark = /^# s3-uploads wrote this file, and keeps it up to date until you edit it\. ([0-9a-f]{64})\n/;
const introductions = {
  "metadata.yaml":
    "# Datasette reads it: datasette this-folder, or datasette uploads.db -m metadata.yaml. To have it back as it was,\n# delete it and start s3-uploads.\n",
  "datasette.yaml":
    "# Datasette 1.0 reads it: datasette this-folder. Where metadata.yaml says the same (facets, sizes, labels, search), it\n# goes by that: edit both. To have it back as it was, delete it and start s3-uploads.\n",
};

/** What is written beside the catalog; nothing in it is secret. */
export const datasetteFiles: readonly string[] = Object.keys(introductions);

/**
 * Writes what makes the folder of the catalog a configuration of Datasette. A file that is there is replaced only when
 * the sum in its first line tells that it is as we wrote it. Never throws: a server can do without them.
 */
export function writeDatasetteFiles(
  folder: string,
  table: string,
  views: readonly DescribedView[],
  log: Log,
): WrittenFile[] {
  let { metadata, config } = describeForDatasette(table, views);
  let files = [write(folder, "metadata.yaml", metadata, log), write(folder, "datasette.yaml", config, log)];
  let theirs = files.filter(({ state }) => state === "theirs").map(({ name }) => name);
  if (theirs.length > 0) log.info({ theirs }, "Datasette's configuration is a person's: it stays as it is");
  return files;
}

function write(folder: string, name: keyof typeof introductions, document: object, log: Log): WrittenFile {
  let path = join(folder, name);
  try {
    let content = signed(`${introductions[name]}\n${Bun.YAML.stringify(document, null, 2)}\n`);
    let there = lstatSync(path, { throwIfNoEntry: false });
    if (there?.isSymbolicLink()) return { name, state: "theirs" };
    let found = there ? readFileSync(path, "utf8") : null;
    if (found === content) return { name, state: "unchanged" };
    // Renaming asks nobody whether the file may be written, and root may write all.
    let isReadOnly = there !== undefined && (there.mode & 0o200) === 0;
    if (found === null ? hasOtherFormat(folder, name) : isReadOnly || !isOurs(found)) {
      return { name, state: "theirs" };
    }
    replace(path, content);
    return { name, state: "written" };
  } catch (error) {
    log.warn({ path, reason: error instanceof Error ? error.message : String(error) }, "could not write it");
    return { name, state: "failed" };
  }
}

/** Datasette reads one of them only, and not always the one that a person wrote. */
function hasOtherFormat(folder: string, name: string): boolean {
  let stem = basename(name, extname(name));
  return endings.some((ending) => existsSync(join(folder, stem + ending)));
}

function signed(body: string): string {
  return `# s3-uploads wrote this file, and keeps it up to date until you edit it. ${sumOf(body)}\n${body}`;
}

function isOurs(content: string): boolean {
  let found = mark.exec(content);
  return found !== null && found[1] === sumOf(content.slice(found[0].length));
}

function sumOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/**
 * In one step, so that Datasette never reads half of it, and no crash leaves half of it, which would look like an edit.
 * Whoever may enter the folder may read it, whatever the umask: nothing in it is secret.
 */
function replace(path: string, content: string): void {
  // The folder is ours alone: what is there of this name was left by a crash.
  let temporary = `${path}.part`;
  rmSync(temporary, { force: true });
  try {
    let descriptor = openSync(temporary, "wx", 0o644);
    try {
      fchmodSync(descriptor, 0o644);
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}
