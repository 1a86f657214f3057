import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import { compareByteOrder } from "../byte-order.ts";
import type { ObjectInfo } from "../storage.ts";
import { isMissing } from "./errors.ts";
import { ownNamePrefix } from "./place.ts";

/** Files looked at together: one by one costs ten times as much. */
const statBatch = 64;

export interface ListRange {
  prefix: string;
  /** Only keys behind this one; empty for all. */
  startAfter: string;
}

/**
 * Objects in byte order of their keys. One folder's names are in memory at a time, and those of its parents.
 * @param folderKey empty for the root, else ending with a slash
 */
export async function* listTree(root: string, range: ListRange, folderKey = ""): AsyncGenerator<ObjectInfo> {
  let keys = await keysIn(root, folderKey, range);
  let batch: string[] = [];
  for (let key of keys) {
    if (!key.endsWith("/")) {
      batch.push(key);
      if (batch.length < statBatch) continue;
    }
    yield* infosOf(root, batch);
    batch = [];
    if (key.endsWith("/")) yield* listTree(root, range, key);
  }
  yield* infosOf(root, batch);
}

/** A folder counts with its slash, so that its place among the files is that of the keys in it. */
async function keysIn(root: string, folderKey: string, range: ListRange): Promise<string[]> {
  let keys: string[] = [];
  for (let entry of await entriesOf(join(root, folderKey))) {
    if (entry.name.startsWith(ownNamePrefix)) continue;
    let key = folderKey + entry.name;
    if (entry.isFile() && key.startsWith(range.prefix) && isBehind(key, range)) keys.push(key);
    if (entry.isDirectory() && mayHold(`${key}/`, range)) keys.push(`${key}/`);
  }
  return keys.toSorted(compareByteOrder);
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // It has gone since its parent was read.
    if (isMissing(error)) return [];
    throw error;
  }
}

function isBehind(key: string, { startAfter }: ListRange): boolean {
  return compareByteOrder(key, startAfter) > 0;
}

function mayHold(folderKey: string, range: ListRange): boolean {
  let underPrefix = folderKey.startsWith(range.prefix) || range.prefix.startsWith(folderKey);
  return underPrefix && (range.startAfter.startsWith(folderKey) || isBehind(folderKey, range));
}

async function* infosOf(root: string, keys: string[]): AsyncGenerator<ObjectInfo> {
  for (let info of await Promise.all(keys.map((key) => infoOf(root, key)))) {
    if (info) yield info;
  }
}

async function infoOf(root: string, key: string): Promise<ObjectInfo | null> {
  try {
    let facts = await lstat(join(root, key));
    return { key, sizeBytes: facts.size, lastModifiedMs: Math.trunc(facts.mtimeMs) };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
