import { describe, expect, test } from "bun:test";

import { type Invocation, parseCommandLine } from "../src/cli.ts";
import { COMMAND_NAMES } from "../src/commands/command-table.ts";
import { describeConfig } from "../src/config/describe.ts";

function parse(...argv: string[]): Invocation {
  return parseCommandLine(argv, "1.2.3");
}

function textOf(...argv: string[]): string {
  let invocation = parse(...argv);
  return invocation.kind === "run" ? "" : invocation.text;
}

describe("a command line", () => {
  for (let [argv, expected] of [
    [[], { command: "serve" }],
    [["serve"], { command: "serve" }],
    [["--port", "80"], { command: "serve", flags: { port: "80" } }],
    [["check", "--data-dir=a=b"], { command: "check", flags: { data_dir: "a=b" } }],
    [["--data-dir", "-x", "check"], { command: "check", flags: { data_dir: "-x" } }],
    [["health", "--port", "81"], { command: "health", flags: { port: "81" } }],
    [["--port=1", "--port=2"], { command: "serve", flags: { port: "2" } }],
    [["--s3-prefix="], { command: "serve", flags: { s3_prefix: "" } }],
    [["--config", "a.yaml", "check"], { command: "check", configFile: "a.yaml" }],
    [["--config=a.yaml"], { command: "serve", configFile: "a.yaml" }],
    [
      ["token", "create", "--name", "ci", "--scope=view", "--expires", "30d"],
      { command: "token", positionals: ["create"], options: { name: "ci", scope: "view", expires: "30d" } },
    ],
    [["token", "list", "--json"], { command: "token", positionals: ["list"], options: { json: true } }],
    [
      ["token", "--port", "1", "revoke", "3"],
      { command: "token", positionals: ["revoke", "3"], flags: { port: "1" } },
    ],
    [["token", "revoke", "--", "--odd-name"], { command: "token", positionals: ["revoke", "--odd-name"] }],
  ] as const) {
    test(`${JSON.stringify(argv)} runs ${expected.command}`, () => {
      let nothing = { kind: "run", positionals: [], flags: {}, options: {}, configFile: undefined };
      expect(parse(...argv)).toEqual({ ...nothing, ...expected } as never);
    });
  }

  for (let [argv, expected] of [
    [["srve"], 'Unknown command "srve". Did you mean serve?'],
    [["chekc"], 'Unknown command "chekc". Did you mean check?'],
    [["hepl"], 'Unknown command "hepl". Did you mean help?'],
    [["banana"], 'Unknown command "banana".'],
    [["token"], "token needs one of create, list, revoke."],
    [["token", "creat"], 'Unknown command "token creat". Did you mean token create?'],
    [["--prot", "80"], "Unknown flag --prot. Did you mean --port?"],
    [["--data_dir=x"], "Unknown flag --data_dir. Did you mean --data-dir?"],
    [["--hepl"], "Unknown flag --hepl. Did you mean --help?"],
    [["-p", "80"], "Unknown flag -p."],
    [["--port"], "--port needs a value."],
    [["--port", "--host", "::1"], "--port needs a value."],
    [["--config"], "--config needs a value."],
    [["token", "list", "--json=yes"], "--json takes no value."],
    [["help", "banana"], 'Unknown command "banana".'],
  ] as const) {
    test(`${JSON.stringify(argv)} is refused: ${expected}`, () => {
      let invocation = parse(...argv);
      expect(invocation.kind).toBe("refused");
      expect(textOf(...argv)).toBe(`s3-uploads: ${expected}\ns3-uploads --help shows what there is.\n`);
    });
  }

  for (let [argv, expected, command] of [
    [["token", "revoke"], "token revoke needs ID|NAME.", "token revoke"],
    [["token", "revoke", "a", "b"], 'token revoke has no use for "b".', "token revoke"],
    [["check", "now"], 'check has no use for "now".', "check"],
    [["check", "--name", "x"], "--name is no option of check.", "check"],
    [["token", "create", "--json"], "--json is no option of token create.", "token create"],
  ] as const) {
    test(`${JSON.stringify(argv)} is refused, with the help that tells of ${command}`, () => {
      expect(parse(...argv).kind).toBe("refused");
      expect(textOf(...argv)).toBe(
        `s3-uploads: ${expected}\ns3-uploads ${command} --help shows what there is.\n`,
      );
    });
  }

  test("with several mistakes has all of them told, and shows no value", () => {
    let text = textOf("--prot", "hunter2", "--aws-secret-key", "hunter3", "--hots=hunter4");
    expect(text).toContain("--prot");
    expect(text).toContain("--aws-secret-key. Did you mean --aws-secret-access-key?");
    expect(text).toContain("--hots");
    expect(text).not.toContain("hunter");
  });
});

describe("help", () => {
  test("is printed for --help, -h and help, whatever else is wrong", () => {
    let main = textOf("--help");
    expect(parse("--help").kind).toBe("print");
    expect(textOf("-h")).toBe(main);
    expect(textOf("help")).toBe(main);
    expect(textOf("--prot", "--help")).toBe(main);
    expect(textOf("check", "-h")).toBe(textOf("help", "check"));
    expect(textOf("token", "create", "--help")).toBe(textOf("help", "token", "create"));
    expect(textOf("token", "--help")).toBe(textOf("help", "token"));
  });

  test("names every command, and every command's help has a usage and an example", () => {
    for (let name of COMMAND_NAMES) {
      expect(textOf("--help")).toContain(`  ${name} `);
      let text = textOf("help", ...name.split(" "));
      expect(text).toStartWith(`Usage:\n  s3-uploads ${name}`);
      expect(text).toContain("Examples:\n  s3-uploads");
    }
  });

  test("on settings tells every flag, variable and default", () => {
    let text = textOf("help", "settings").replace(/\s+/g, " ");
    for (let { key, flag, environment, default: shown } of describeConfig()) {
      expect(text).toContain(flag ?? key);
      for (let name of environment) expect(text).toContain(name);
      expect(text).toContain(`default ${shown.replaceAll("`", "")}`);
    }
  });

  test("says wherever scopes are given that admin covers the others", () => {
    for (let command of [
      ["token", "create"],
      ["user", "add"],
      ["user", "scope"],
    ]) {
      expect(textOf("help", ...command).replace(/\s+/g, " ")).toContain("admin covers the others");
    }
  });

  test("tells days, seconds, MiB and bytes a second apart", () => {
    let text = textOf("help", "settings");
    for (let line of [
      "--audit-days DAYS",
      "--stall-timeout-s SECONDS",
      "--max-total-mb MIB",
      "--min-upload-rate BYTES/S",
    ]) {
      expect(text).toContain(`  ${line}\n`);
    }
  });

  test("on an invitation tells its own default end, on a token a token's", () => {
    let ends = ["invite", "token"].map((command) => {
      let text = textOf("help", command, "create").replace(/\s+/g, " ");
      return /--expires WHEN .*? default: (\w+)/.exec(text)?.[1];
    });
    expect(ends).toEqual(["7d", "never"]);
  });

  for (let topic of [[], ["settings"], ["token"], ...COMMAND_NAMES.map((name) => name.split(" "))]) {
    test(`on ${topic.join(" ") || "everything"} fits 80 columns and ends in one newline`, () => {
      let text = textOf("help", ...topic);
      expect(text).toMatch(/[^\n]\n$/);
      for (let line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
      expect(text).not.toMatch(/[ \t]\n/);
    });
  }
});

test("--version and -V print the version", () => {
  expect(parse("--version")).toEqual({ kind: "print", text: "s3-uploads 1.2.3\n" });
  expect(parse("check", "-V")).toEqual({ kind: "print", text: "s3-uploads 1.2.3\n" });
});
