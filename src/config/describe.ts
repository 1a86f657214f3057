import { CONFIG_KEYS, type ConfigKey, environmentNames, flagName, type KeyFacts, KEYS } from "./keys.ts";

/** A key as the documentation shows it. */
export interface ConfigRow {
  key: ConfigKey;
  group: KeyFacts<unknown>["group"];
  /** One sentence without its full stop; may hold `code` marks. */
  doc: string;
  default: string;
  unit: string | null;
  /** In the order in which they are looked at. */
  environment: string[];
  /** With its dashes, or null where no flag is accepted. */
  flag: string | null;
  secret: boolean;
}

/** Every key, in the order of the table of keys. */
export function describeConfig(): ConfigRow[] {
  return CONFIG_KEYS.map((key) => {
    let facts: KeyFacts<unknown> = KEYS[key];
    let flag = flagName(key);
    return {
      key,
      group: facts.group,
      doc: facts.doc,
      default: facts.shownDefault ?? (facts.default === null ? "none" : `\`${String(facts.default)}\``),
      unit: facts.unit ?? null,
      environment: environmentNames(key),
      flag: flag === null ? null : `--${flag}`,
      secret: facts.secret === true,
    };
  });
}

/** README's table of keys, in Markdown; ends in a newline. */
export function configTable(): string {
  let rows = describeConfig().map(({ key, doc, unit, environment, ...row }) => {
    let variables = environment.map((name) => `\`${name}\``).join(", ");
    return `| \`${key}\` | ${doc}${unit === null ? "" : ` (${unit})`} | ${row.default} | ${variables} |`;
  });
  return ["| key | meaning | default | variable |", "|---|---|---|---|", ...rows, ""].join("\n");
}
