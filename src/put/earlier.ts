import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { DAY_MS } from "../units.ts";
import type { Stored } from "./remote.ts";
import type { Source } from "./sources.ts";

/** As long as a server answers a repeated Idempotency-Key with its first answer. */
const lifeMs = DAY_MS;
/** Longer than any file is on its way: what nobody has come back for is removed. */
const forgottenAfterMs = 30 * DAY_MS;

/**
 * What an earlier run of the same command has stored, when it was interrupted or could not store everything: the next one
 * sends the rest, and no file is stored twice.
 */
export interface Earlier {
  /** What became of this very file; null when it has to be sent. */
  find(source: Source): Stored | null;
  /** The same one for the same file in each run, until one has stored everything. */
  idempotencyKeyOf(source: Source): string;
  remember(source: Source, stored: Stored): Promise<void>;
  /** Everything is stored: the next run begins anew. */
  forget(): Promise<void>;
}

interface Entry {
  /** Of the first line. */
  run?: { id: string; atMs: number };
  /** Of the others. */
  key?: string;
  stored?: Stored;
}

/**
 * One small file for each command. A folder that can't be written to makes every run begin anew, and is no error.
 *
 * @param folder made with mode 0700
 * @param command what makes two runs the same: server, token, working folder, operands; kept as a digest only
 */
export async function openEarlier(folder: string, command: readonly string[]): Promise<Earlier> {
  let path = join(folder, `${digest(JSON.stringify(command))}.run`);
  let [first, ...entries] = await entriesOf(path);
  let run = first?.run ?? null;
  if (run === null || Date.now() - run.atMs > lifeMs) {
    run = await begin(folder, path);
    entries = [];
  }
  let { id } = run;
  let found = new Map(entries.map(({ key, stored }) => [key, stored]));
  return {
    find: (source) => found.get(keyOf(source)) ?? null,
    idempotencyKeyOf: (source) => digest(`${id} ${keyOf(source)}`),
    remember: (source, stored) =>
      unlessForbidden(() => appendFile(path, lineOf({ key: keyOf(source), stored }))),
    forget: () => unlessForbidden(() => rm(path, { force: true })),
  };
}

async function begin(folder: string, path: string): Promise<NonNullable<Entry["run"]>> {
  let run = { id: crypto.randomUUID(), atMs: Date.now() };
  await unlessForbidden(async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, lineOf({ run }), { mode: 0o600 });
    await removeForgotten(folder);
  });
  return run;
}

async function removeForgotten(folder: string): Promise<void> {
  for (let name of await readdir(folder)) {
    let path = join(folder, name);
    let { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > forgottenAfterMs) await rm(path, { force: true });
  }
}

/** What makes a file the same one. Standard input never is. */
function keyOf({ file }: Source): string {
  return file ? JSON.stringify([file.path, file.sizeBytes, file.modifiedMs]) : crypto.randomUUID();
}

function lineOf(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** A line that a crash has cut off is none. */
async function entriesOf(path: string): Promise<Entry[]> {
  let text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as Entry];
    } catch {
      return [];
    }
  });
}

async function unlessForbidden(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch {
    // The files are stored without it.
  }
}

function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
