import type { Dirent } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

import { AppError } from "../errors.ts";
import { KIB } from "../units.ts";

const readBytes = 256 * KIB;

/** Something that can be sent. */
export interface Source {
  /** As it was named on the command line, or below a folder that was. */
  shownAs: string;
  /** What the server is told. */
  filename: string;
  /** A file on disk, which can be read again; null for standard input. */
  file: { path: string; sizeBytes: number; modifiedMs: number } | null;
}

/** An operand, or an entry of a folder, that can't be sent. */
export interface Unsendable {
  shownAs: string;
  error: AppError;
}

/**
 * What the operands name: files, the files of folders in the order of their names (entries that begin with a dot and
 * symbolic links below a folder are passed over), and `-` for standard input.
 *
 * @param stdinName what standard input is called on the server
 */
export async function* findSources(
  operands: readonly string[],
  stdinName: string | undefined,
): AsyncGenerator<Source | Unsendable> {
  for (let operand of operands) {
    if (operand === "-") {
      yield { shownAs: "standard input", filename: stdinName ?? "stdin", file: null };
    } else {
      yield* sourcesAt(operand);
    }
  }
}

async function* sourcesAt(path: string): AsyncGenerator<Source | Unsendable> {
  let facts;
  try {
    facts = await stat(path);
    if (!facts.isDirectory() && !facts.isFile()) throw new Error("it is neither a file nor a folder");
  } catch (error) {
    yield unsendable(path, error);
    return;
  }
  if (facts.isDirectory()) return yield* sourcesIn(path);
  let file = { path: resolve(path), sizeBytes: facts.size, modifiedMs: facts.mtimeMs };
  yield { shownAs: path, filename: basename(resolve(path)), file };
}

async function* sourcesIn(folder: string): AsyncGenerator<Source | Unsendable> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    yield unsendable(folder, error);
    return;
  }
  for (let entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || entry.isSymbolicLink()) continue;
    if (entry.isFile() || entry.isDirectory()) yield* sourcesAt(join(folder, entry.name));
  }
}

function unsendable(shownAs: string, error: unknown): Unsendable {
  return { shownAs, error: unreadable(error) };
}

function unreadable(error: unknown): AppError {
  // "EACCES: permission denied, open '/the/path'"
  let { message, code, syscall } = error as NodeJS.ErrnoException;
  let sentence = message.startsWith(`${code}: `) ? message.slice(`${code}: `.length) : message;
  let [reason = sentence] = sentence.split(`, ${syscall} '`, 1);
  if (reason.endsWith(`, ${syscall}`)) reason = reason.slice(0, -`, ${syscall}`.length);
  return new AppError("invalid_parameter", `can't be read: ${reason}`, { cause: error });
}

/**
 * The bytes of a file from `first` up to but not with `end`, read when they are asked for.
 * @param onBytes hears how many have been handed over
 */
export function readFile(
  path: string,
  { first, end }: { first: number; end: number },
  onBytes: (bytes: number) => void = () => {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let opened: ReturnType<typeof open> | null = null;
  let position = first;

  async function read(length: number) {
    try {
      opened ??= open(path, "r");
      return await (await opened).read(new Uint8Array(length), 0, length, position);
    } catch (error) {
      throw unreadable(error);
    }
  }

  async function close(): Promise<void> {
    let closing = opened;
    opened = null;
    let handle = await closing?.catch(() => null);
    await handle?.close();
  }

  return new ReadableStream(
    {
      async pull(controller) {
        let { bytesRead, buffer } = await read(Math.min(readBytes, end - position));
        if (position < end) {
          if (bytesRead === 0) throw new AppError("bad_request", "it became shorter while it was sent");
          position += bytesRead;
          onBytes(bytesRead);
          controller.enqueue(buffer.subarray(0, bytesRead));
        }
        if (position < end) return;
        await close();
        controller.close();
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
}
