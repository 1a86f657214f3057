import { describe, expect, test } from "bun:test";

import { importJson, importText } from "../../src/commands/import-summary.ts";
import { addProblem, emptyReport, maxProblemsKept } from "../../src/import/report.ts";

describe("the summary of an import", () => {
  test("tells a person what was done and what needs a look", () => {
    let report = emptyReport("uploads/");
    report.lookedAt = 12_345;
    report.adopted = { own: 12_000, foreign: 300, linked: 5 };
    report.skipped.mark = 6;
    addProblem(report, { key: "uploads/a\u001b[2J\u202ex", what: "refused", reason: "it is\nodd" });
    expect(importText(report, 10_000))
      .toBe(`Looked at 12,345 objects under “uploads/” in 10 s, 1,231 rows a second.
      12,000  added: uploaded with s3-uploads
         300  added: stored by others
           5  added: rows that share an object
           6  left alone: marks of this program
           1  to look at:
    uploads/a\\u{1b}[2J\\u{202e}x: it is\\u{a}odd
`);
  });

  test("says that it was broken off, and how to go on", () => {
    let report = { ...emptyReport(""), brokenOff: "It was interrupted." };
    expect(importText(report, 0)).toBe(`Looked at 0 objects in the whole bucket in 0 s.
Not everything was looked at. It was interrupted.
What is in the catalog stays there: start the import again, and it goes on from there.
`);
    expect(JSON.parse(importJson(report, 1_500))).toMatchObject({
      complete: false,
      broken_off: "It was interrupted.",
      seconds: 1.5,
    });
  });

  test("names some problems to a person, many to a program, and counts all", () => {
    let report = emptyReport("x");
    for (let at = 0; at < maxProblemsKept + 5; at++) {
      addProblem(report, { key: `k${at}`, what: "unreachable", reason: "no answer" });
    }
    expect(importText(report, 0).split("\n").length).toBe(55 - 1);
    expect(importText(report, 0)).toContain("and 9,955 more; --json names them");
    let json = JSON.parse(importJson(report, 0));
    expect([json.problems.length, json.problem_counts.unreachable, json.complete]).toEqual([
      maxProblemsKept,
      maxProblemsKept + 5,
      false,
    ]);
  });
});
