import { lstat, opendir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { datasetteFiles } from "../datasette/files.ts";
import type { Report } from "./check.ts";

/** Enough to see what is wrong; a folder with a million objects shall not take minutes. */
const maxLooked = 5_000;
const maxNamed = 3;
/** What everybody but the owner may do. */
const othersMask = 0o077;
/** What the group may do, which has to be let into the folder and to the catalog. */
const groupMask = 0o070;
const worldMask = 0o007;
const writeMask = 0o022;
const typeMask = 0o777;

/**
 * Whether others on this machine can get at the data folder. The catalog is meant to be opened by Datasette, which may
 * run as somebody of the same group: of it and the folder it lies in, only what everybody may do counts. The files that
 * describe it to Datasette tell nothing: others may read them.
 */
export async function inspectModes(dataDir: string, report: Report): Promise<void> {
  let folder = resolve(dataDir);
  let catalog = join(folder, "uploads.db");
  let wide: string[] = [];
  let looked = 0;
  let forGroup = groupMask;

  async function look(path: string, mask: number): Promise<void> {
    let facts = await lstat(path);
    looked += 1;
    if (!facts.isSymbolicLink() && (facts.mode & mask) !== 0) wide.push(`${path} (${octal(facts.mode)})`);
    if (path === folder || path === catalog) forGroup &= facts.mode;
    if (!facts.isDirectory()) return;
    for await (let entry of await opendir(path)) {
      if (looked >= maxLooked) return;
      await look(join(path, entry.name), path === folder ? maskOf(entry.name) : othersMask);
    }
  }

  try {
    await look(folder, worldMask);
  } catch (error) {
    let { code } = error as NodeJS.ErrnoException;
    // Not made yet: the server makes it with the right modes.
    if (code !== "ENOENT") report("warn", "modes", `not all of ${folder} could be looked at (${code})`);
  }
  if (wide.length > 0) {
    let more = wide.length > maxNamed ? ` and ${wide.length - maxNamed} more` : "";
    report(
      "warn",
      "modes",
      `others on this machine can get at ${wide.slice(0, maxNamed).join(", ")}${more}: chmod -R go= ${folder}`,
    );
  } else if (looked > 0) {
    let who =
      forGroup !== 0
        ? "the group may read the catalog, and nobody else can get at the data folder"
        : "nobody else on this machine can get at the data folder";
    report("ok", "modes", who);
  }
}

function maskOf(name: string): number {
  if (datasetteFiles.includes(name)) return writeMask;
  return name.startsWith("uploads.db") ? worldMask : othersMask;
}

function octal(mode: number): string {
  return (mode & typeMask).toString(8).padStart(4, "0");
}
