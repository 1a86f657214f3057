import { AppError, toAppError } from "../errors.ts";
import type { FileRepository } from "../record/file-repository.ts";
import type { ObjectPlace } from "../state/journal.ts";
import { prefixOfKey } from "../store/key-kinds.ts";
import type { ObjectInfo, Storage } from "../store/storage.ts";
import { adoptAll, type Outcome } from "./adopter.ts";
import { createGoneMarks } from "./gone-marks.ts";
import { identify } from "./identity.ts";
import { inOrder } from "./in-order.ts";
import { importLinks } from "./linked-rows.ts";
import { emptyReport, type ImportReport } from "./report.ts";
import { damageOf, problemOf, rowOf } from "./row-of.ts";
import { createObjectReader } from "./stored-object.ts";
import { skipByKey, unusableBecause } from "./what-to-skip.ts";

/** Small objects mostly wait for an answer. What is ahead waits in memory for its turn, as rows. */
const width = { atOnce: 16, ahead: 256 };
/** Keys that are looked up in the catalog together. */
const pageKeys = 1_000;
/** So many objects in a row that can't be reached mean that storage is away. */
const maxUnreachableInARow = 20;

export interface ImportDeps {
  storage: Storage;
  repository: Pick<FileRepository, "adopt" | "checksumsByKey" | "get">;
  /** Objects that an open intent is about; recovery has to have run. */
  openKeys: ReadonlySet<string>;
  options: {
    /** Only keys that begin with this, be it the configured prefix or any other text. */
    prefix: string;
    /** Of the configuration. */
    s3Prefix: string;
    keepPosition: boolean;
  };
  /** Ends the import where it is; another one goes on from there. */
  signal: AbortSignal;
}

export interface ImportRun {
  /** Grows while the import is at work. */
  report: ImportReport;
  /** Rejects when the catalog fails; what storage says goes into the report. */
  done: Promise<void>;
}

/**
 * Gives every object under a prefix its row: those of uploads the row that they had, those that somebody else has stored a
 * new one, and then the rows that share objects, by their marks. What has a row is left as it is, so that an import that
 * was cut short goes on where it was, and one too many does nothing.
 */
export function startImport(deps: ImportDeps): ImportRun {
  let report = emptyReport(deps.options.prefix);
  return { report, done: runImport(deps, report) };
}

async function runImport(deps: ImportDeps, report: ImportReport): Promise<void> {
  let { storage, repository, options } = deps;
  let stop = new AbortController();
  let signal = AbortSignal.any([deps.signal, stop.signal]);
  let reader = createObjectReader(storage, { keepPosition: options.keepPosition, signal });
  let goneMarks = createGoneMarks(storage, options.s3Prefix);
  let markPrefixes = new Set([options.s3Prefix]);

  async function* unrecorded(): AsyncGenerator<ObjectInfo> {
    for await (let page of inPages(storage.list(options.prefix), pageKeys)) {
      signal.throwIfAborted();
      report.lookedAt += page.length;
      let wanted = page.filter(isWanted);
      let keys = wanted.map(({ key }) => key);
      let recorded = await repository.checksumsByKey(storage.name, storage.bucket, keys);
      report.recordedAlready += recorded.size;
      yield* wanted.filter(({ key }) => !recorded.has(key));
    }
  }

  function isWanted({ key }: ObjectInfo): boolean {
    let prefix = prefixOfKey(key);
    if (prefix !== null) markPrefixes.add(prefix);
    let skip = deps.openKeys.has(key) ? "open" : skipByKey(key, options.s3Prefix);
    if (skip) report.skipped[skip]++;
    return skip === null;
  }

  async function look(info: ObjectInfo): Promise<Outcome> {
    let { key, sizeBytes, lastModifiedMs } = info;
    let unusable = unusableBecause(key);
    if (unusable) return { problem: { key, what: "refused", reason: unusable } };
    if (sizeBytes === 0 && prefixOfKey(key) === null) return { skip: "empty" };
    let place: ObjectPlace = { storage: storage.name, bucket: storage.bucket, key };
    try {
      let { uid } = identify(place, {}, lastModifiedMs);
      if (await goneMarks.has({ uid, key })) return { skip: "deleted" };
      return await reader.read(info, async (found) => {
        let identity = identify(place, found.userMetadata, lastModifiedMs);
        if (sizeBytes === 0 && !identity.isOwn) return { skip: "empty" };
        let inspected = await found.inspect(identity.filename, identity.sha256 !== null);
        let row = rowOf(place, identity, inspected);
        return { row, kind: identity.isOwn ? "own" : "foreign", problem: damageOf(key, identity, inspected) };
      });
    } catch (error) {
      return signal.aborted ? { interrupted: true } : { problem: problemOf(key, error) };
    }
  }

  let giveUp = giveUpWhenAway();
  try {
    await adoptAll(inOrder(unrecorded(), look, width), repository, report, { sharing: false, giveUp });
    if (report.brokenOff === null) {
      await importLinks({ ...deps, reader, goneMarks, report, markPrefixes, signal, width, giveUp });
    }
  } catch (thrown) {
    let error = toAppError(thrown);
    if (deps.signal.aborted) report.brokenOff = "It was interrupted.";
    else if (isOfStorage(error)) report.brokenOff = error.message;
    else throw thrown;
  } finally {
    // Whatever is still being read has nobody who waits for it.
    stop.abort(new AppError("storage_unavailable", "The import has ended."));
  }
}

function isOfStorage(error: AppError): boolean {
  return error.code === "storage_unavailable" || error.code === "storage_error";
}

/** A sentence once storage is away, so that a million objects are not asked for in vain. */
function giveUpWhenAway(): (outcome: Outcome) => string | null {
  let inARow = 0;
  return (outcome) => {
    if ("interrupted" in outcome) return "It was interrupted.";
    if ("problem" in outcome && outcome.problem?.what === "unreachable") {
      if (++inARow >= maxUnreachableInARow) return `Storage can't be reached: ${outcome.problem.reason}`;
    } else inARow = 0;
    return null;
  };
}

async function* inPages<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (let item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
