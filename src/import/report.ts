/** Why an object has no row and is not meant to have one. */
export const SKIPS = {
  deleted: "of files that were deleted while others shared them",
  copy: "copies of files that are in the catalog under another key",
  open: "of uploads or deletions that are not finished",
  quarantined: "set aside by a repair",
  probe: "probes of s3-uploads check",
  folder: "names of folders",
  empty: "empty",
  mark: "marks of this program",
  elsewhere: "marks of rows that share an object outside the prefix",
} as const;
export type Skip = keyof typeof SKIPS;

/** What kept an object from getting its row. */
export interface Problem {
  key: string;
  /**
   * `vanished`: it was listed, and is not there any more. `unreachable`: nobody could look. `lost`: a row is known, and its
   * object is not there. `damaged`: it has got its row, but its bytes are not those that were uploaded. `refused`: the rest.
   */
  what: "vanished" | "unreachable" | "lost" | "damaged" | "refused";
  /** A sentence. */
  reason: string;
}

export interface ImportReport {
  prefix: string;
  lookedAt: number;
  adopted: { own: number; foreign: number; linked: number };
  recordedAlready: number;
  skipped: Record<Skip, number>;
  /** The first of them, at most `maxProblemsKept`. */
  problems: Problem[];
  problemCounts: Record<Problem["what"], number>;
  /** Why not everything was looked at; null when it was. */
  brokenOff: string | null;
}

/** Each is named in the report; a bucket that denies every object must not fill the memory with its names. */
export const maxProblemsKept = 10_000;

export function emptyReport(prefix: string): ImportReport {
  return {
    prefix,
    lookedAt: 0,
    adopted: { own: 0, foreign: 0, linked: 0 },
    recordedAlready: 0,
    skipped: {
      deleted: 0,
      copy: 0,
      open: 0,
      quarantined: 0,
      probe: 0,
      folder: 0,
      empty: 0,
      mark: 0,
      elsewhere: 0,
    },
    problems: [],
    problemCounts: { vanished: 0, unreachable: 0, lost: 0, damaged: 0, refused: 0 },
    brokenOff: null,
  };
}

export function addProblem(report: ImportReport, problem: Problem): void {
  report.problemCounts[problem.what]++;
  if (report.problems.length < maxProblemsKept) report.problems.push(problem);
}
