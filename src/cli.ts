import {
  COMMAND_NAMES,
  type CommandFacts,
  type CommandName,
  COMMANDS,
  commandsOf,
  type OptionFacts,
} from "./commands/command-table.ts";
import { commandHelp, mainHelp, settingsHelp } from "./commands/help.ts";
import type { CommandOptions } from "./commands/options.ts";
import type { ProgramName } from "./commands/programs.ts";
import { CONFIG_KEYS } from "./config/keys.ts";
import { didYouMean } from "./nearest.ts";

/** Exit status for a command line that can't be understood; a refused configuration or a failed check is 1. */
export const usageExitCode = 2;

/** What the command line asks for. */
export type Invocation =
  | {
      kind: "run";
      command: ProgramName;
      /** What stands after the command: `revoke` and `3` after `token`. */
      positionals: string[];
      /** Settings, by their key (`data_dir`); loadConfig looks at their values. */
      flags: Record<string, string>;
      /** The command's own options. */
      options: CommandOptions;
      configFile: string | undefined;
    }
  /** For stdout; exit status 0. */
  | { kind: "print"; text: string }
  /** For stderr; exit status `usageExitCode`. */
  | { kind: "refused"; text: string };

/** @param argv what follows the program's name */
export function parseCommandLine(argv: readonly string[], version: string): Invocation {
  let words = readWords(argv);
  let [first, second] = words.positionals;
  if (words.version) return { kind: "print", text: `s3-uploads ${version}\n` };
  if (first === "help") return help(words.positionals.slice(1));

  let command = first === undefined ? "serve" : commandNamed(first, second);
  if (words.help)
    return command === null
      ? help(words.positionals)
      : { kind: "print", text: commandHelpFor(first, command) };
  if (command === null || words.problems.length > 0) {
    return refused(command === null ? [unknownCommand(first, second), ...words.problems] : words.problems);
  }

  let problems = misuse(command, words);
  if (problems.length > 0) return refused(problems, `${command} `);
  return {
    kind: "run",
    command: programOf(command),
    positionals: words.positionals.slice(1),
    flags: words.flags,
    options: words.options,
    configFile: words.configFile,
  };
}

/** The first word of a command's name is what runs it. */
function programOf(command: CommandName): ProgramName {
  return (command.split(" ")[0] ?? command) as ProgramName;
}

interface Words {
  positionals: string[];
  flags: Record<string, string>;
  options: CommandOptions;
  configFile: string | undefined;
  help: boolean;
  version: boolean;
  problems: string[];
}

const settingFlags = new Map(CONFIG_KEYS.map((key) => [key.replaceAll("_", "-"), key] as const));
const commandOptions = new Map(
  Object.values<CommandFacts>(COMMANDS).flatMap(({ options }) =>
    options.map((option) => [option.name, option]),
  ),
);
const allFlags = ["help", "version", "config", ...commandOptions.keys(), ...settingFlags.keys()];

/** Sorts the words; a flag that stands twice counts as it stood last. */
function readWords(argv: readonly string[]): Words {
  let words: Words = {
    positionals: [],
    flags: {},
    options: {},
    configFile: undefined,
    help: false,
    version: false,
    problems: [],
  };
  let rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      words.positionals.push(...rest);
      break;
    }
    if (word === "-h" || word === "--help") words.help = true;
    else if (word === "-V" || word === "--version") words.version = true;
    else if (word.startsWith("--")) readFlag(word, rest, words);
    else if (word.startsWith("-") && word !== "-") {
      words.problems.push(`Unknown flag ${word.slice(0, 2)}.`);
      dropValue(rest);
    } else words.positionals.push(word);
  }
  return words;
}

function readFlag(word: string, rest: string[], words: Words): void {
  let equals = word.indexOf("=");
  let name = word.slice(2, equals === -1 ? undefined : equals);
  let option = optionNamed(name, words.positionals);
  let key = option ? undefined : settingFlags.get(name);
  if (!key && name !== "config" && !option) {
    words.problems.push(`Unknown flag --${name}.${didYouMean(name, allFlags, "--")}`);
    if (equals === -1) dropValue(rest);
    return;
  }
  if (option?.value === null) {
    if (equals === -1) words.options[option.name] = true;
    else words.problems.push(`--${name} takes no value.`);
    return;
  }
  let value = equals === -1 ? rest[0] : word.slice(equals + 1);
  if (value === undefined || (equals === -1 && value.startsWith("--"))) {
    words.problems.push(`--${name} needs a value.`);
    return;
  }
  if (equals === -1) rest.shift();
  if (key) words.flags[key] = value;
  else if (option) words.options[option.name] = value;
  else words.configFile = value;
}

/** A command's own option; where a setting has the same name, only behind the command that has the option. */
function optionNamed(name: string, positionals: readonly string[]): OptionFacts | undefined {
  if (!settingFlags.has(name)) return commandOptions.get(name);
  let [first, second] = positionals;
  let command = first === undefined ? null : commandNamed(first, second);
  let facts: CommandFacts | null = command && COMMANDS[command];
  return facts?.options.find((option) => option.name === name);
}

/** The value of an unknown flag would be taken for a command. */
function dropValue(rest: string[]): void {
  if (rest[0] !== undefined && !isCommandWord(rest[0]) && !rest[0].startsWith("-")) rest.shift();
}

function isCommandWord(word: string): boolean {
  return word === "help" || commandsOf(word).length > 0;
}

function commandNamed(first: string, second: string | undefined): CommandName | null {
  return COMMAND_NAMES.find((name) => name === first || name === `${first} ${second}`) ?? null;
}

/** A bare `s3-uploads --help` asks for everything, not for `serve`. */
function commandHelpFor(first: string | undefined, command: CommandName): string {
  return first === undefined ? mainHelp() : commandHelp([command]);
}

function help(topic: readonly string[]): Invocation {
  let [first, second] = topic;
  if (first === undefined) return { kind: "print", text: mainHelp() };
  if (first === "settings") return { kind: "print", text: settingsHelp() };
  let named = commandNamed(first, second);
  let names = named === null && second === undefined ? commandsOf(first) : named === null ? [] : [named];
  return names.length > 0
    ? { kind: "print", text: commandHelp(names) }
    : refused([unknownCommand(first, second)]);
}

function unknownCommand(first: string | undefined, second: string | undefined): string {
  let parts = commandsOf(first ?? "").map((name) => name.split(" ")[1] ?? name);
  if (parts.length === 0) {
    let firstWords = new Set([...COMMAND_NAMES.map((name) => name.split(" ")[0] ?? name), "help"]);
    return `Unknown command ${JSON.stringify(first)}.${didYouMean(first ?? "", firstWords)}`;
  }
  if (second === undefined) return `${first} needs one of ${parts.join(", ")}.`;
  return `Unknown command ${JSON.stringify(`${first} ${second}`)}.${didYouMean(second, parts, `${first} `)}`;
}

/** What the command line has too little or too much of for this command. */
function misuse(command: CommandName, { positionals, options }: Words): string[] {
  let facts: CommandFacts = COMMANDS[command];
  let operands = positionals.slice(command.split(" ").length);
  let surplus = operands[facts.maxOperands];
  let problems = Object.keys(options)
    .filter((name) => !facts.options.some((option) => option.name === name))
    .map((name) => `--${name} is no option of ${command}.`);
  if (operands.length < facts.minOperands) problems.push(`${command} needs ${facts.operands}.`);
  if (surplus !== undefined) problems.push(`${command} has no use for ${JSON.stringify(surplus)}.`);
  return problems;
}

/** @param about the command whose help tells more, with a blank behind it */
function refused(problems: readonly string[], about = ""): Invocation {
  let told = problems.map((problem) => `s3-uploads: ${problem}\n`).join("");
  return { kind: "refused", text: `${told}s3-uploads ${about}--help shows what there is.\n` };
}
