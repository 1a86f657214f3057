import { didYouMean, nearestName } from "../nearest.ts";
import type { Fault } from "./fault.ts";
import { CONFIG_KEYS, type ConfigKey, environmentNames, flagName, type KeyFacts, KEYS } from "./keys.ts";

/** A value as somebody gave it, before it was looked at. */
export interface Given {
  key: ConfigKey;
  raw: unknown;
  /** As in Fault. */
  source: string;
  /** Of the config file that it stands in: references in it are resolved from there. */
  folder?: string;
}

export interface GivenValues {
  values: Given[];
  faults: Fault[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

export const configFileVariable = "S3_UPLOADS_CONFIG";
const ownPrefix = "S3_UPLOADS_";

// Kubernetes gives every container of a namespace such variables for a service that is named s3-uploads.
const kubernetesName =
  /^S3_UPLOADS_(?:SERVICE_(?:HOST|PORT(?:_.+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const kubernetesPort = /^(?:tcp|udp|sctp):\/\//;

export function isConfigKey(name: string): name is ConfigKey {
  return Object.hasOwn(KEYS, name);
}

/** @param flags by key, as cli.ts found them */
export function fromFlags(flags: Readonly<Record<string, string>>): GivenValues {
  let found: GivenValues = { values: [], faults: [] };
  for (let [name, raw] of Object.entries(flags)) {
    let source = `flag --${name.replaceAll("_", "-")}`;
    if (!isConfigKey(name)) {
      let rule = `is not a setting.${didYouMean(name, CONFIG_KEYS)}`;
      found.faults.push({ key: name, source, rule, value: null });
    } else if (flagName(name) === null) {
      let rule = `is not accepted as a flag, because every user of this machine can read a command line: use the variable ${environmentNames(name)[0]} or a config file`;
      found.faults.push({ key: name, source, rule, value: null });
    } else {
      found.values.push({ key: name, raw, source });
    }
  }
  return found;
}

/** The variables that mean keys; an unknown one with our prefix is a fault, everything else is somebody else's. */
export function fromEnvironment(env: Environment): GivenValues {
  let found: GivenValues = { values: [], faults: [] };
  let known = new Set([configFileVariable]);
  for (let key of CONFIG_KEYS) {
    let facts: KeyFacts<unknown> = KEYS[key];
    let names = environmentNames(key);
    for (let name of names) known.add(name);
    for (let name of names) {
      // An empty variable is one that a compose file or a shell left open: it says nothing.
      let raw = env[name] === "" ? facts.emptyVariable : env[name];
      if (raw === undefined || isKubernetes(name, raw)) continue;
      found.values.push({ key, raw, source: `variable ${name}` });
      break;
    }
  }
  for (let name of Object.keys(env)) {
    if (!name.startsWith(ownPrefix) || known.has(name) || kubernetesName.test(name)) continue;
    found.faults.push({ key: name, source: "environment", rule: unknownVariable(name, known), value: null });
  }
  return found;
}

function isKubernetes(name: string, raw: string): boolean {
  return name === "S3_UPLOADS_PORT" && kubernetesPort.test(raw);
}

/** Compared without the prefix, which would make everything look alike. */
function unknownVariable(name: string, known: Set<string>): string {
  let bySuffix = new Map([...known].toReversed().map((full) => [withoutPrefix(full), full]));
  let nearest = bySuffix.get(nearestName(withoutPrefix(name), bySuffix.keys()) ?? "");
  return `is not a variable of s3-uploads.${nearest === undefined ? "" : ` Did you mean ${nearest}?`}`;
}

function withoutPrefix(name: string): string {
  return name.startsWith(ownPrefix) ? name.slice(ownPrefix.length) : name;
}
