/** What became of one file as its sender knows it. */
export interface SentFile {
  /** Never used twice: by it the file is found again. */
  name: string;
  bytes: Uint8Array;
  sha256: string;
  /** Set once the server has said that it has the file, or was seen to have it after a crash. */
  known: { id: number; uid: string } | null;
  /**
   * `asked`: a deletion for good was sent and not acknowledged. `trashing`: the same of one that can be undone; `trashed`: it
   * was acknowledged; `undoing`: its undo was sent and not acknowledged.
   */
  deletion: "none" | "asked" | "trashing" | "trashed" | "undoing";
  idempotencyKey: string | null;
  /** Of a file that comes in pieces, once its beginning was acknowledged. */
  pieces: Pieces | null;
  /** True while a request about it waits for its answer. */
  busy: boolean;
}

/** An upload in pieces, and how far the server has said that it has it. */
export interface Pieces {
  uid: string;
  acknowledgedBytes: number;
}

/** Counted over a whole run. */
export interface Tally {
  kills: number;
  /** Kills by what they came at. */
  killsBy: Map<string, number>;
  acknowledged: number;
  /** Uploads without an answer, or with a failure, that were whole after the next start. */
  keptUnacknowledged: number;
  gone: number;
  /** Uploads in pieces that went on after a crash, from more than nothing. */
  resumed: number;
  deletionsAcknowledged: number;
  deletionsFinished: number;
  deletionsUndone: number;
  /** Deletions that can be undone, and their undoing: acknowledged. */
  trashed: number;
  restored: number;
  /** Undone too late. */
  undoneTooLate: number;
  /** Answers other than success, by status and code. */
  failures: Map<string, number>;
}

/** Everything that one server must have, may have, and must not have. */
export interface Ledger {
  files: Map<string, SentFile>;
  /** Of files whose deletion was acknowledged, or found finished: they must not come back. */
  deletedUids: Set<string>;
  tally: Tally;
}

export function createTally(): Tally {
  return {
    kills: 0,
    killsBy: new Map(),
    acknowledged: 0,
    keptUnacknowledged: 0,
    gone: 0,
    resumed: 0,
    deletionsAcknowledged: 0,
    deletionsFinished: 0,
    deletionsUndone: 0,
    trashed: 0,
    restored: 0,
    undoneTooLate: 0,
    failures: new Map(),
  };
}

export function createLedger(tally: Tally): Ledger {
  return { files: new Map(), deletedUids: new Set(), tally };
}

export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
