import { duration, plain } from "../import/progress.ts";
import { type ImportReport, SKIPS } from "../import/report.ts";
import { SECOND_MS } from "../units.ts";

/** A person reads no more lines; all of them are in the JSON. */
const maxProblemLines = 50;
const countColumns = 12;

/** What an import did, as lines for a person. */
export function importText(report: ImportReport, ms: number): string {
  let { adopted, recordedAlready, skipped, problems, brokenOff } = report;
  let total = adopted.own + adopted.foreign + adopted.linked;
  let problemCount = problemsOf(report);
  let lines = [
    `Looked at ${plain(report.lookedAt)} objects ${whereOf(report.prefix)} in ${duration(ms)}${rateOf(total, ms)}.`,
    ...count(adopted.own, "added: uploaded with s3-uploads"),
    ...count(adopted.foreign, "added: stored by others"),
    ...count(adopted.linked, "added: rows that share an object"),
    ...count(recordedAlready, "in the catalog already"),
    ...Object.entries(SKIPS).flatMap(([skip, what]) =>
      count(skipped[skip as keyof typeof SKIPS], `left alone: ${what}`),
    ),
    ...count(problemCount, "to look at:"),
    ...problems.slice(0, maxProblemLines).map(({ key, reason }) => `    ${oneLine(key)}: ${oneLine(reason)}`),
  ];
  if (problemCount > maxProblemLines) {
    lines.push(`    and ${plain(problemCount - maxProblemLines)} more; --json names them`);
  }
  if (brokenOff !== null) lines.push(`Not everything was looked at. ${oneLine(brokenOff)}`, howToGoOn);
  return `${lines.join("\n")}\n`;
}

function count(n: number, what: string): string[] {
  return n > 0 ? [`${plain(n).padStart(countColumns)}  ${what}`] : [];
}

const howToGoOn = "What is in the catalog stays there: start the import again, and it goes on from there.";

/** The same for a program, with the names of SQL columns. */
export function importJson(report: ImportReport, ms: number): string {
  let { prefix, lookedAt, adopted, recordedAlready, skipped, problems, problemCounts, brokenOff } = report;
  let json = {
    prefix,
    complete: brokenOff === null && problemCounts.unreachable === 0,
    broken_off: brokenOff,
    looked_at: lookedAt,
    adopted,
    recorded_already: recordedAlready,
    skipped,
    problem_counts: problemCounts,
    problems,
    seconds: ms / SECOND_MS,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

function problemsOf({ problemCounts }: ImportReport): number {
  return Object.values(problemCounts).reduce((sum, one) => sum + one, 0);
}

function whereOf(prefix: string): string {
  return prefix === "" ? "in the whole bucket" : `under “${oneLine(prefix)}”`;
}

function rateOf(total: number, ms: number): string {
  return total > 0 && ms >= SECOND_MS ? `, ${plain(Math.round((total / ms) * SECOND_MS))} rows a second` : "";
}

/** A key may hold anything; nothing of it may move a terminal's cursor. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
}
