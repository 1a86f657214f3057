import { fuzzForms } from "../test/support/fuzz/fuzz-forms.ts";
import { fuzzInspection } from "../test/support/fuzz/fuzz-inspect.ts";
import { fuzzParsers } from "../test/support/fuzz/fuzz-parsers.ts";
import type { Tally } from "../test/support/fuzz/tally.ts";

export interface Target {
  what: string;
  /** Of all cases, in hundredths. */
  share: number;
  fuzz(seed: number, cases: number): Promise<Tally>;
}

/** What reads bytes that strangers send. */
export const TARGETS = {
  forms: { what: "multipart forms, against Bun's parser", share: 40, fuzz: fuzzForms },
  files: { what: "inspection of files", share: 40, fuzz: fuzzInspection },
  texts: { what: "names, headers, list addresses", share: 20, fuzz: fuzzParsers },
} satisfies Record<string, Target>;

export type TargetName = keyof typeof TARGETS;
export const TARGET_NAMES = Object.keys(TARGETS) as TargetName[];

/** Told after each batch. */
export interface Progress {
  done: number;
  batchSeed: number;
  slowestMs: number;
  /** After the garbage has been collected. */
  rssBytes: number;
  /** Cases in which Bun's parser was asked as well, and in which both took the form. */
  judgedByBun: number;
  bothAccepted: number;
}

/** Cases with one seed: the smallest run that meets a finding again. */
export const batchCases = 500;
