import { describe, expect, test } from "bun:test";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..");
/** Stages of the way of a file: each knows its own business only. */
const STAGES = ["parse", "inspect", "store", "record", "state"];
/** What nobody below may import. */
const TOP = ["main.ts", "commands", "app.ts", "open-server.ts"];

interface SourceFile {
  /** From the root of the checkout. */
  path: string;
  text: string;
  /** What it imports besides types: paths from the root, or names of packages. */
  imports: string[];
}

let sources = await Promise.all(
  ["src", "views"].flatMap((folder) =>
    [...new Bun.Glob(`${folder}/**/*.{ts,tsx}`).scanSync(root)]
      .filter((path) => !path.endsWith(".d.ts"))
      .map(readSource),
  ),
);

async function readSource(path: string): Promise<SourceFile> {
  let text = await Bun.file(join(root, path)).text();
  let transpiler = new Bun.Transpiler({ loader: path.endsWith("x") ? "tsx" : "ts" });
  // Imports that name only types are dropped by the transpiler: types may cross, values may not.
  let imports = transpiler
    .scanImports(text)
    .map(({ path: named }) =>
      named.startsWith(".") ? relative(root, join(root, dirname(path), named)) : named,
    );
  return { path, text, imports };
}

/** The part of the program a path belongs to: `src/parse/x.ts` to `parse`, `src/app.ts` to `app.ts`. */
function partOf(path: string): string | null {
  return path.startsWith("src/") ? (path.split("/")[1] ?? null) : null;
}

/** Every import that a rule forbids, as lines to read. */
function offences(forbidden: (source: SourceFile, imported: string) => boolean): string[] {
  return sources.flatMap((source) =>
    source.imports.filter((path) => forbidden(source, path)).map((path) => `${source.path} imports ${path}`),
  );
}

test("the scan sees the program", () => {
  expect(sources.length).toBeGreaterThan(100);
  let main = sources.find(({ path }) => path === "src/main.ts");
  expect(main?.imports).toContain("src/commands/programs.ts");
});

describe("imports point one way", () => {
  test("stages never import each other", () => {
    expect(
      offences(({ path }, imported) => {
        let [from, to] = [partOf(path), partOf(imported)];
        return STAGES.includes(from ?? "") && STAGES.includes(to ?? "") && from !== to;
      }),
    ).toEqual([]);
  });

  test("stages know nothing of what is above them", () => {
    let above = [
      ...TOP,
      "web",
      "auth",
      "config",
      "receive-upload.ts",
      "record-upload.ts",
      "resume",
      "delete-file.ts",
      "recover.ts",
      "reconcile",
      "trash.ts",
      "marks.ts",
      "import",
    ];
    expect(
      offences(
        ({ path }, imported) =>
          STAGES.includes(partOf(path) ?? "") && above.includes(partOf(imported) ?? "no part"),
      ),
    ).toEqual([]);
  });

  test("the story of an upload knows nothing of the web", () => {
    let story = [
      "receive-upload.ts",
      "record-upload.ts",
      "resume",
      "delete-file.ts",
      "recover.ts",
      "trash.ts",
      "marks.ts",
      "import",
      "reconcile",
    ];
    expect(
      offences(
        ({ path }, imported) =>
          story.includes(partOf(path) ?? "") &&
          [...TOP, "web", "auth", "config"].includes(partOf(imported) ?? "no part"),
      ),
    ).toEqual([]);
  });

  test("web knows nothing of storage, tables and commands", () => {
    expect(
      offences(
        ({ path }, imported) =>
          partOf(path) === "web" &&
          [...TOP, "config", "store", "record"].includes(partOf(imported) ?? "no part") &&
          // what a list can be asked for is part of the repository's interface
          imported !== "src/record/file-repository.ts",
      ),
    ).toEqual([]);
  });

  test("only main imports commands, and nobody imports main", () => {
    expect(
      offences(({ path }, imported) => {
        if (imported === "src/main.ts") return true;
        return partOf(imported) === "commands" && !["main.ts", "commands", "cli.ts"].includes(partOf(path)!);
      }),
    ).toEqual([]);
  });

  test("views know no part of the program", () => {
    expect(
      offences(({ path }, imported) => path.startsWith("views/") && imported.startsWith("src/")),
    ).toEqual([]);
  });

  test("the nouns import nothing", () => {
    expect(offences(({ path }) => path === "src/domain.ts")).toEqual([]);
  });
});

describe("what comes from outside has one owner", () => {
  let owners: [name: string, of: RegExp, owner: RegExp][] = [
    ["the database", /^bun:sqlite$/, /^src\/(record|state)\/|^src\/sqlite\.ts$/],
    ["the AWS SDK", /^@(aws-sdk|smithy)\//, /^src\/store\/s3\//],
    ["file-type and exifr", /^(file-type|exifr)(\/|$)/, /^src\/inspect\//],
  ];
  for (let [name, of, owner] of owners) {
    test(name, () => {
      expect(offences(({ path }, imported) => of.test(imported) && !owner.test(path))).toEqual([]);
      expect(offences(({ path }, imported) => of.test(imported) && owner.test(path))).not.toEqual([]);
    });
  }

  test("the environment is read in main alone", () => {
    let readers = sources.filter(({ text }) => /process\.env|Bun\.env|import\.meta\.env/.test(text));
    expect(readers.map(({ path }) => path)).toEqual(["src/main.ts"]);
  });
});
