import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import manifest from "../package.json" with { type: "json" };
import { configTable } from "../src/config/describe.ts";
import { ERROR_CODES } from "../src/errors.ts";
import { SORT_COLUMNS } from "../src/record/file-repository.ts";

const root = resolve(import.meta.dir, "..");

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Cells of a Markdown table; how wide the formatter makes them says nothing. */
function cells(table: string): string[][] {
  let lines = table.split("\n").filter((line) => line.startsWith("|"));
  return lines.map((line) =>
    line.split("|").map((cell) => cell.trim().replace(/^-+$/, "-").replaceAll("\\*", "*")),
  );
}

describe("README", () => {
  let readme = read("README.md");

  test("its table of settings is the program's own", () => {
    let [, table] = /<!-- configuration: begin.*?-->(.*?)<!-- configuration: end -->/s.exec(readme) ?? [];
    expect(cells(table ?? "")).toEqual(cells(configTable()));
  });

  test("its table of errors has every code, beside its status, and no other", () => {
    let told = cells(readme).flatMap(([, status, text = ""]) =>
      /^\d{3}$/.test(status ?? "")
        ? [...text.matchAll(/`([a-z_]+)`: ([^<]*)/g)].map(
            ([, code, sentence]) => `${status} ${code} ${sentence}`,
          )
        : [],
    );
    let real = Object.entries(ERROR_CODES).map(
      ([code, { status, sentence }]) => `${status} ${code} ${sentence}`,
    );
    expect(told.toSorted()).toEqual(real.toSorted());
  });

  test("it names the columns that lists can be sorted by", () => {
    expect(readme).toContain(SORT_COLUMNS.map((column) => `\`${column}\``).join(", "));
  });

  test("it asks for the version of Bun that the project is built with", () => {
    let versions = [...readme.matchAll(/bun@(\d+\.\d+\.\d+)/g)].map(([, version]) => version);
    expect(new Set(versions)).toEqual(new Set([manifest.devDependencies.bun]));
  });
});

describe.each(["README.md", "CONTRIBUTING.md"])("%s", (name) => {
  let text = read(name);

  test("every command of the project that it names is there", () => {
    let commands = [...text.matchAll(/\bbun(?:@[\d.]+)? run ([a-z:]+)/g)].map(([, command]) => command);
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.filter((command) => !Object.hasOwn(manifest.scripts, command ?? ""))).toEqual([]);
  });

  test("every file that it links to is there", () => {
    let links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link ?? "");
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });

  test("every path of the sources that it names is there", () => {
    let paths = [...text.matchAll(/\b((?:src|views|scripts|public|test)\/[\w./-]*\w)/g)].map(
      ([, path]) => path ?? "",
    );
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
