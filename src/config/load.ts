import { type Config, settle } from "./config.ts";
import { type Fault, madeSafe, mask, showValue } from "./fault.ts";
import { fromFile, type ReadFile, resolveReferences } from "./file.ts";
import { CONFIG_KEYS, type ConfigKey, type KeyFacts, KEYS, type Settings } from "./keys.ts";
import { guard } from "./redact.ts";
import { CROSS_RULES } from "./rules.ts";
import {
  configFileVariable,
  type Environment,
  fromEnvironment,
  fromFlags,
  type Given,
  type GivenValues,
} from "./sources.ts";

export interface ConfigSources {
  /** By key (`data_dir`), as text. */
  flags: Readonly<Record<string, string>>;
  /** The path after `--config`; without it the variable S3_UPLOADS_CONFIG counts. */
  configFile?: string | undefined;
  env: Environment;
  readFile: ReadFile;
}

export type ConfigResult = { ok: true; config: Config } | { ok: false; faults: readonly Fault[] };

/**
 * The configuration from flag, environment, config file and default, in this order of precedence; or everything that is
 * wrong with it at once. Nothing in a fault is secret. Reads nothing but the files that are named.
 */
export function loadConfig({ flags, configFile, env, readFile }: ConfigSources): ConfigResult {
  let path = configFile ?? (env[configFileVariable] || undefined);
  let nothing: GivenValues = { values: [], faults: [] };
  let sources = [
    fromFlags(flags),
    fromEnvironment(env),
    path === undefined ? nothing : fromFile(path, readFile),
  ];
  let faults = sources.flatMap((source) => source.faults);

  let given = new Map<ConfigKey, Given>();
  for (let value of sources.flatMap((source) => source.values)) {
    if (!given.has(value.key)) given.set(value.key, value);
  }

  let secrets: string[] = [];
  let wrong = new Set<ConfigKey>();
  let settings: Record<string, unknown> = {};
  for (let key of CONFIG_KEYS) {
    let facts: KeyFacts<unknown> = KEYS[key];
    settings[key] = facts.default;
    let value = given.get(key);
    if (!value) continue;
    let read = readValue(value, facts, env, readFile);
    if (facts.secret && typeof read.raw === "string") secrets.push(read.raw, read.raw.trim());
    if ("rule" in read) {
      wrong.add(key);
      let shown = facts.secret ? mask : showValue(read.raw);
      faults.push({ key, source: value.source, rule: read.rule, value: shown });
    } else {
      settings[key] = read.value;
    }
  }

  let complete = settings as Settings;
  let sourceOf = (key: ConfigKey): string => given.get(key)?.source ?? "default";
  for (let rule of CROSS_RULES) {
    if ([rule.key, ...rule.others].some((key) => wrong.has(key))) continue;
    let broken = rule.broken(complete, sourceOf);
    if (broken === null) continue;
    let facts: KeyFacts<unknown> = KEYS[rule.key];
    let shown = facts.secret ? mask : showValue(complete[rule.key]);
    faults.push({ key: rule.key, source: sourceOf(rule.key), rule: broken, value: shown });
  }

  if (faults.length === 0) return { ok: true, config: guard(settle(complete)) };
  return { ok: false, faults: faults.map((fault) => madeSafe(fault, secrets)) };
}

type ReadValue = { raw: unknown; value: unknown } | { raw: unknown; rule: string };

function readValue(given: Given, facts: KeyFacts<unknown>, env: Environment, readFile: ReadFile): ReadValue {
  let raw = given.raw;
  if (given.folder !== undefined) {
    let resolved = resolveReferences(raw, { env, readFile, folder: given.folder });
    if ("problem" in resolved) return { raw: resolved.name, rule: resolved.problem };
    raw = resolved.value;
  }
  // Takes back what a weaker source says, where "none" is a value.
  if (raw === "" && facts.default === null && facts.emptyVariable === undefined) return { raw, value: null };
  let parsed = facts.schema.safeParse(raw);
  if (parsed.success) return { raw, value: parsed.data };
  return { raw, rule: parsed.error.issues[0]?.message ?? "can't be used" };
}
