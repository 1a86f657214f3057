import { basename, join } from "node:path";

import { sha256Of } from "./content.ts";
import type { Databases, PiecesRow, Row } from "./databases.ts";
import type { Ledger, Pieces, SentFile } from "./ledger.ts";
import { filesIn, type Objects } from "./objects.ts";

/** Empty objects that speak of a row: that it shares another's object, or that it is gone while others use its object. */
const markPattern = /\/marks\/([0-9a-f-]{36})\.(link|gone)$/;

/** What a check needs to know of one server. */
export interface Subject {
  dataDir: string;
  databases: Databases;
  objects: Objects;
  ledger: Ledger;
  /** Digests of objects that were read already; a key is used once, so an object never changes. */
  digests: Map<string, string>;
}

/**
 * Compares what was acknowledged with what is there; to be called when nobody uploads and nothing is unsettled. What was
 * not acknowledged is settled by what is found: from then on it counts as acknowledged, or as gone.
 *
 * @param deep reads every object again
 * @returns one line for each promise that does not hold
 */
export async function check(subject: Subject, deep = false): Promise<string[]> {
  let { databases, objects, ledger, digests, dataDir } = subject;
  // Read first: whose time is over goes with row and object while the check looks, and leaves this table last.
  let trashed = databases.trashedUids();
  let rows = databases.rows();
  let { sizes, unfinished, leftovers } = await objects.list();
  // An object, a mark, and what describes them go one after the other.
  let goingRows = rows.filter((row) => trashed.has(row.uid));
  let going = [...trashed, ...goingRows.map((row) => basename(row.s3_key))];
  let isGoing = (what: string) => going.some((name) => what.includes(name));
  let faults = leftovers.filter((what) => !isGoing(what)).map((what) => `left behind in storage: ${what}`);
  let pieces = databases.pieces();
  let keys = pieces.flatMap(({ state, key }) => (state === "open" && key !== null ? [key] : []));
  let goingOn = new Set(keys.flatMap((key) => [key, `sha256:${sha256Of(Buffer.from(key))}`]));
  for (let { key, what } of unfinished) if (!goingOn.has(key)) faults.push(`unfinished in storage: ${what}`);
  if (deep) digests.clear();

  for (let path of filesIn(join(dataDir, "internal", "spool")))
    faults.push(`left behind in the spool: ${path}`);
  faults.push(...databases.faults());

  for (let row of rows) if (!trashed.has(row.uid)) faults.push(...(await faultsOfRow(row)));
  let usedKeys = new Set(rows.map((row) => row.s3_key));
  let uids = new Set(rows.map((row) => row.uid));
  for (let key of sizes.keys()) {
    let [, marked = "", mark] = markPattern.exec(key) ?? [];
    if (mark === undefined && !usedKeys.has(key)) faults.push(`object without a row: ${key}`);
    if (trashed.has(marked)) continue;
    if (mark !== undefined && uids.has(marked) !== (mark === "link")) faults.push(`mark that lies: ${key}`);
  }
  faults.push(...settle({ rows, trashed, pieces }, ledger));
  return faults;

  async function faultsOfRow(row: Row): Promise<string[]> {
    let name = `row ${row.id} ${row.filename}`;
    let size = sizes.get(row.s3_key);
    if (row.storage !== objects.storage || row.bucket !== objects.bucket) return [`${name} is elsewhere`];
    if (size === undefined) return [`${name} without its object ${row.s3_key}`];
    if (size !== row.size_bytes) return [`${name} has ${row.size_bytes} bytes, its object ${size}`];
    let digest = digests.get(row.s3_key) ?? sha256Of(await objects.read(row.s3_key));
    digests.set(row.s3_key, digest);
    return digest === row.checksum_sha256 ? [] : [`${name}: its object has other bytes`];
  }
}

/** An upload in pieces that has no row must be able to go on, from no less than was acknowledged, unless its sender ended it. */
function stateOf(
  { deletion, bytes }: SentFile,
  { acknowledgedBytes }: Pieces,
  found: PiecesRow | undefined,
): { goesOn: boolean; fault: string | null } {
  if (found?.state !== "open") {
    return {
      goesOn: false,
      fault: deletion === "asked" ? null : `can't go on, being ${found?.state ?? "unknown"}`,
    };
  }
  let { offset_bytes: offset, length_bytes: length } = found;
  if (offset < acknowledgedBytes) {
    return { goesOn: true, fault: `has ${offset} of ${acknowledgedBytes} acknowledged bytes` };
  }
  let isRight = length === null ? offset <= bytes.length : length === bytes.length && offset < length;
  return {
    goesOn: true,
    fault: isRight ? null : `stands at ${offset} of ${length}, and is ${bytes.length} long`,
  };
}

interface Found {
  rows: Row[];
  trashed: ReadonlySet<string>;
  pieces: PiecesRow[];
}

function settle({ rows, trashed, pieces }: Found, ledger: Ledger): string[] {
  let { files, deletedUids, tally } = ledger;
  let faults: string[] = [];
  let byName = new Map<string, Row>();
  for (let row of rows) {
    let sent = files.get(row.filename);
    if (deletedUids.has(row.uid)) faults.push(`deleted and back: ${row.filename} ${row.uid}`);
    else if (!sent) faults.push(`a row that nobody asked for: ${row.filename} ${row.uid}`);
    else if (byName.has(row.filename)) faults.push(`two rows of one request: ${row.filename}`);
    else if (row.checksum_sha256 !== sent.sha256) faults.push(`not what was sent: ${row.filename}`);
    byName.set(row.filename, row);
  }
  let piecesByUid = new Map(pieces.map((one) => [one.uid, one]));
  for (let file of files.values()) {
    let row = byName.get(file.name);
    if (file.pieces && !file.known && !row) {
      let { goesOn, fault } = stateOf(file, file.pieces, piecesByUid.get(file.pieces.uid));
      if (fault) faults.push(`${fault}: ${file.name} ${file.pieces.uid}`);
      if (goesOn) {
        file.deletion = "none";
        continue;
      }
    }
    if (file.known && row && (row.uid !== file.known.uid || row.id !== file.known.id)) {
      faults.push(`another row than was acknowledged: ${file.name} ${file.known.uid} ${row.uid}`);
    }
    let isTrashed = row !== undefined && trashed.has(row.uid);
    let mayBeTrashed = ["trashing", "trashed", "undoing"].includes(file.deletion);
    if (isTrashed && !mayBeTrashed) faults.push(`out of sight, and nobody asked for it: ${file.name}`);
    if (mayBeTrashed) {
      if (isTrashed) {
        file.deletion = "trashed";
        continue;
      }
      if (row && file.deletion === "trashed") faults.push(`deleted and back: ${file.name} ${row.uid}`);
    } else if (file.deletion === "asked") {
      if (row) tally.deletionsUndone++;
      else tally.deletionsFinished++;
    } else if (file.known && !row) {
      faults.push(`acknowledged and lost: ${file.name} ${file.known.uid}`);
    } else if (!file.known) {
      if (row) tally.keptUnacknowledged++;
      else tally.gone++;
    }
    file.deletion = "none";
    if (row) file.known = { id: row.id, uid: row.uid };
    else {
      if (file.known) deletedUids.add(file.known.uid);
      files.delete(file.name);
    }
  }
  return faults;
}
