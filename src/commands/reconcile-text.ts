import type { Finding, FindingKind, Outcome } from "../reconcile/finding.ts";
import { FINDING_KINDS } from "../reconcile/finding.ts";
import { remaining } from "../reconcile/reconcile.ts";
import { quarantineKey } from "../store/key-kinds.ts";
import type { Storage } from "../store/storage.ts";
import { SECOND_MS } from "../units.ts";
import { counted } from "./counted.ts";
import type { ReconcileOptions } from "./reconcile-options.ts";
import type { ReconcileEnd, Report } from "./reconcile-report.ts";

/** Findings of one kind that are printed when nothing is done about them; the table has the number. */
const maxShown = 20;
const kindColumns = 18;
const countColumns = 11;

const meanings: Record<FindingKind, string> = {
  missing_object: "a file whose object is gone",
  orphan_object: "an object that no file uses",
  size_differs: "an object of another size than the catalog says",
  checksum_differs: "an object with other bytes than the catalog says",
  unfinished_upload: "parts of an upload that nobody works on",
  stale_intent: "a note in the journal that was never settled",
  missing_mark: "a file that shares an object and has no mark in the bucket",
  stale_mark: "a mark in the bucket that stands for nothing",
  foreign_object: "an object that this program did not make (left alone)",
};

interface Place {
  storage: Pick<Storage, "name" | "bucket">;
  prefix: string;
  options: ReconcileOptions;
}

/** For people: findings as they come, then a table and a verdict. */
export function textReport(write: (text: string) => void, { storage, prefix, options }: Place): Report {
  let shown = new Map<string, number>();
  let hasPrinted = false;

  function print(text: string): void {
    hasPrinted = true;
    write(text);
  }

  /** Whether one more of a kind is to be printed; says once that the rest isn't. */
  function mayShow(kind: string): boolean {
    let count = (shown.get(kind) ?? 0) + 1;
    shown.set(kind, count);
    if (count === maxShown + 1) print(`${kind.padEnd(kindColumns)}and more; --json prints all of them\n`);
    return count <= maxShown;
  }

  return {
    found(finding, outcome) {
      let isDone = outcome.action !== "none" && outcome.action !== "held_back";
      if (isDone || mayShow(finding.kind)) print(findingText(finding, outcome));
    },
    notLooked({ key }, reason) {
      if (mayShow("not_looked")) print(entry("not_looked", [printable(key), reason]));
    },
    removed: (key) =>
      print(entry("removed", [printable(key), `its time in quarantine (${options.keep}) was over`])),
    end(result) {
      let { totals } = result;
      if (hasPrinted) write("\n");
      let where = storage.name === "local" ? "the local folder" : `${storage.bucket}/${prefix}`;
      let objects = counted(totals.objects, "object");
      let files = counted(totals.rows, "file");
      let seconds = (result.tookMs / SECOND_MS).toFixed(1);
      write(`Compared ${objects} in ${where} with ${files} of the catalog in ${seconds} s.\n`);
      write(table(result));
      for (let sentence of remarks(result, prefix)) write(`${sentence}\n`);
      write(`${verdict(result)}\n`);
    },
  };
}

function findingText(finding: Finding, { action, message }: Outcome): string {
  let { kind, key, file_id, filename, size_bytes, found_bytes, detail } = finding;
  let bytes = size_bytes ?? found_bytes;
  let facts = [
    ...(file_id === undefined ? [] : [`file ${file_id}`]),
    ...(filename === undefined ? [] : [`“${printable(filename)}”`]),
    ...(bytes === undefined ? [] : [counted(bytes, "byte")]),
  ];
  let what = facts.length > 0 ? `${facts.join(", ")}: ${detail}` : detail;
  let done = action === "failed" ? `could not be repaired: ${message}` : message;
  return entry(kind, [printable(key), what, ...(message === "" ? [] : [`-> ${done}`])]);
}

function entry(kind: string, lines: string[]): string {
  return lines.map((line, i) => `${(i === 0 ? kind : "").padEnd(kindColumns)}${line}\n`).join("");
}

function table(result: ReconcileEnd): string {
  let { totals, options } = result;
  let kinds = FINDING_KINDS.filter((kind) => totals.found[kind] > 0);
  if (kinds.length === 0) return "";
  let row = (kind: string, found: string, left: string, meaning: string): string => {
    let counts = found.padStart(countColumns) + (options.repair ? left.padStart(countColumns) : "");
    return `${kind.padEnd(kindColumns)}${counts}  ${meaning}`.trimEnd() + "\n";
  };
  let rows = kinds.map((kind) => {
    let left = kind === "foreign_object" ? "-" : remaining(result, kind).toLocaleString("en");
    return row(kind, totals.found[kind].toLocaleString("en"), left, meanings[kind]);
  });
  return `\n${row("", "found", "left", "")}${rows.join("")}\n`;
}

function remarks(result: ReconcileEnd, prefix: string): string[] {
  let { totals, options, warnings, removed, notRemoved } = result;
  let sentences: string[] = [];
  if (totals.young > 0) {
    sentences.push(
      `${counted(totals.young, "thing")} younger than ${options.minAge} (--min-age) can't be judged yet.`,
    );
  }
  if (totals.underWay > 0) {
    sentences.push(
      `${counted(totals.underWay, "upload or deletion", "uploads or deletions")} under way, or waiting for the server's next start.`,
    );
  }
  let kept = totals.quarantined - removed;
  if (kept > 0) {
    let overdue = options.repair ? 0 : totals.overdue;
    let over =
      overdue > 0 ? `, ${overdue} of them for more than ${options.keep}: --repair removes those` : "";
    sentences.push(`${counted(kept, "object")} in quarantine (${quarantineKey(prefix, prefix)})${over}.`);
  }
  if (removed > 0) sentences.push(`${counted(removed, "object")} removed from quarantine for good.`);
  if (notRemoved > 0)
    sentences.push(`${counted(notRemoved, "object")} could not be removed from quarantine.`);
  sentences.push(...totals.notes, ...warnings);
  if (result.isForcible) sentences.push("If that is as it should be, --force repairs all the same.");
  return sentences;
}

function verdict(result: ReconcileEnd): string {
  let { totals, options, exitStatus } = result;
  let left = FINDING_KINDS.reduce((sum, kind) => sum + remaining(result, kind), 0);
  if (totals.notLooked > 0 || !totals.listed) {
    return `${counted(totals.notLooked, "look")} got no answer, so that this is not the whole truth. Put that right and run it again.`;
  }
  if (exitStatus === 0) {
    if (options.repair && sumOf(totals.found) > 0) return "Nothing is left to do.";
    return totals.young > 0 ? "Everything else agrees." : "Everything agrees.";
  }
  if (options.repair) return `${counted(left + result.notRemoved, "thing")} left for a person to look at.`;
  let beyondRepair = remaining(result, "size_differs") + remaining(result, "checksum_differs");
  if (beyondRepair === left) return "A person has to look: no repair touches these.";
  return "“s3-uploads reconcile --repair” puts right what can be put right; stop the server for it.";
}

function sumOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Keys of others may hold anything: nothing of it may steer a terminal. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
