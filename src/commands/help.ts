import { type ConfigRow, describeConfig } from "../config/describe.ts";
import { COMMAND_NAMES, type CommandFacts, type CommandName, COMMANDS } from "./command-table.ts";

const maxColumns = 80;
const nameColumns = 25;

/** Settings that the first screen shows. */
const firstSettings = new Set([
  "s3_bucket",
  "s3_region",
  "s3_endpoint_url",
  "data_dir",
  "host",
  "port",
  "max_file_size_mb",
]);

/** What `s3-uploads --help` prints. */
export function mainHelp(): string {
  let settings = describeConfig().filter(({ key }) => firstSettings.has(key));
  return lines(
    wrap(
      "s3-uploads takes file uploads, stores them in an S3 bucket or, without one, in a local folder, and keeps a catalog of them in SQLite that Datasette can open.",
    ),
    "",
    "Usage:",
    "  s3-uploads [COMMAND] [--SETTING VALUE]...",
    "",
    "Commands:",
    ...COMMAND_NAMES.map((name) => entry(name, COMMANDS[name].summary)),
    "",
    "Settings that most people need:",
    ...settings.map((row) =>
      entry(`${row.flag} ${valueName(row)}`, `${plain(row.doc)} (default ${plain(row.default)})`),
    ),
    entry("--config FILE", "read settings from a YAML, JSON or TOML file"),
    "",
    entry("-h, --help", "this text; after a command, that command's"),
    entry("-V, --version", "the version"),
    "",
    "Examples:",
    "  s3-uploads",
    "  S3_BUCKET=my-files AWS_REGION=eu-central-1 s3-uploads",
    "  s3-uploads check --config s3-uploads.yaml",
    "  curl -F file=@photo.jpg http://127.0.0.1:8080/-/s3-uploads/upload",
    "",
    "s3-uploads help settings  tells every setting, with its variable and default.",
  );
}

/** What `s3-uploads COMMAND --help` prints. */
export function commandHelp(names: readonly CommandName[]): string {
  return names.map((name) => oneCommand(name, COMMANDS[name])).join("\n");
}

/** What `s3-uploads help settings` prints. */
export function settingsHelp(): string {
  let groups = Map.groupBy(describeConfig(), ({ group }) => group);
  return lines(
    wrap(
      "A setting is taken from its flag, else from its environment variable, else from the config file (--config FILE or S3_UPLOADS_CONFIG), else its default counts. In the file its name is the flag's with underscores: --data-dir is data_dir. A list is written with commas.",
    ),
    ...[...groups].flatMap(([group, rows]) => ["", `${group}:`, ...rows.map(oneSetting)]),
  );
}

function oneCommand(name: CommandName, facts: CommandFacts): string {
  let operands = facts.operands && ` ${facts.operands}`;
  let options = facts.options.map(({ name: option, value, doc }) =>
    entry(value === null ? `--${option}` : `--${option} ${value}`, doc),
  );
  return lines(
    "Usage:",
    `  s3-uploads ${name}${operands}${options.length > 0 ? " [--OPTION]..." : ""} [--SETTING VALUE]...`,
    "",
    wrap(facts.text),
    ...(options.length > 0 ? ["", "Options:", ...options] : []),
    "",
    "Examples:",
    ...facts.examples.map((example) => `  ${example}`),
    "",
    "Settings: s3-uploads help settings",
  );
}

function oneSetting(row: ConfigRow): string {
  let head = row.flag === null ? `${row.key} (variable or file only)` : `${row.flag} ${valueName(row)}`;
  let variables = `${row.environment.length > 1 ? "variables" : "variable"} ${row.environment.join(", ")}`;
  return lines(
    `  ${head}`,
    wrap(plain(row.doc), 6),
    wrap(`default ${plain(row.default)}; ${variables}`, 6),
  ).trimEnd();
}

function valueName({ unit }: ConfigRow): string {
  return unit === null ? "VALUE" : unit === "s" ? "SECONDS" : unit.toUpperCase();
}

/** A name and, beside it, what it means. */
function entry(name: string, meaning: string): string {
  let left = `  ${name}`;
  let right = wrap(meaning, nameColumns + 2);
  return left.length > nameColumns ? `${left}\n${right}` : left.padEnd(nameColumns + 2) + right.trimStart();
}

function plain(marked: string): string {
  return marked.replaceAll("`", "");
}

function wrap(paragraph: string, indent = 0): string {
  let wrapped: string[] = [];
  let line = "";
  for (let word of paragraph.split(" ")) {
    let longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && indent + longer.length > maxColumns) {
      wrapped.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...wrapped, line].map((text) => " ".repeat(indent) + text).join("\n");
}

function lines(...texts: string[]): string {
  return `${texts.join("\n")}\n`;
}
