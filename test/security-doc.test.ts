import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const document = readFileSync(join(root, "docs/security.md"), "utf8");

/** The rows of its tables: what is said, and the test that holds it. */
let rows = document
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\|[-| ]+$/.test(line) && !line.startsWith("| the sheet says"))
  .map((line) => {
    let cells = line.split("|").map((cell) => cell.trim());
    return { says: cells[1] ?? "", done: cells[2] ?? "", holds: cells[3] ?? "" };
  });

describe("docs/security.md", () => {
  test("has a test for each line, but for what it says is not done", () => {
    expect(rows.length).toBeGreaterThan(40);
    let without = rows.filter(({ holds }) => holds === "").map(({ says }) => says);
    expect(without).toEqual([
      "Antivirus, or a sandbox",
      "The name of the cookie should not tell what the server is",
    ]);
  });

  for (let { says, holds } of rows) {
    if (holds === "") continue;
    test(says, () => {
      let [, file = "", name = ""] = /^`(test\/[\w/.-]+\.test\.ts)` "(.+)"$/.exec(holds) ?? [];
      expect([holds, existsSync(join(root, file)) && file !== ""]).toEqual([holds, true]);
      let source = readFileSync(join(root, file), "utf8");
      expect([name, source.includes(JSON.stringify(name))]).toEqual([name, true]);
    });
  }
});
