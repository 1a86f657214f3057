import { FINDING_KINDS, type FindingKind } from "./finding.ts";

/** What one look at everything has come to; all of it grows while the look is under way. */
export interface Totals {
  /** Rows of the catalog that were held against storage. */
  rows: number;
  /** Objects in the listing, of whatever kind. */
  objects: number;
  /** Those of them with the key of an uploaded file. */
  ownObjects: number;
  marks: number;
  quarantined: number;
  /** Quarantined objects whose time is over. */
  overdue: number;
  /** Whatever looked wrong and is too young to be judged. */
  young: number;
  /** Open intents that a server may be at work on, or settles at its next start. */
  underWay: number;
  /** Whatever storage gave no answer about: nobody knows whether it is there. */
  notLooked: number;
  /** Read to compare checksums. */
  readBytes: number;
  found: Record<FindingKind, number>;
  /** False when the listing broke off: then most counts are too small. */
  listed: boolean;
  /** What the operator should know once, as whole sentences. */
  notes: Set<string>;
}

export function newTotals(): Totals {
  return {
    rows: 0,
    objects: 0,
    ownObjects: 0,
    marks: 0,
    quarantined: 0,
    overdue: 0,
    young: 0,
    underWay: 0,
    notLooked: 0,
    readBytes: 0,
    found: Object.fromEntries(FINDING_KINDS.map((kind) => [kind, 0])) as Record<FindingKind, number>,
    listed: true,
    notes: new Set(),
  };
}
