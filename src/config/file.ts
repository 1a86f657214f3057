import { dirname, extname, resolve } from "node:path";

import { didYouMean } from "../nearest.ts";
import { trimEndOf } from "../trim-end.ts";
import type { Fault } from "./fault.ts";
import { CONFIG_KEYS } from "./keys.ts";
import { type Environment, type GivenValues, isConfigKey } from "./sources.ts";

/** Gives the text of a file or throws; `path` may be relative to the working directory. */
export type ReadFile = (path: string) => string;

/** The name of our block in a Datasette configuration. */
export const pluginName = "datasette-s3-uploads";

const PARSERS: Record<string, (content: string) => unknown> = {
  ".yaml": (content) => Bun.YAML.parse(content),
  ".yml": (content) => Bun.YAML.parse(content),
  ".json": (content) => Bun.JSONC.parse(content),
  ".jsonc": (content) => Bun.JSONC.parse(content),
  ".toml": (content) => Bun.TOML.parse(content),
};

/** The keys of a config file; references in their values are not resolved yet. */
export function fromFile(path: string, readFile: ReadFile): GivenValues {
  let source = `file ${path}`;
  let refuse = (rule: string, key = "config"): GivenValues => ({
    values: [],
    faults: [{ key, source, rule, value: null }],
  });

  let parse = PARSERS[extname(path).toLowerCase()];
  if (!parse) return refuse(`must end in ${Object.keys(PARSERS).join(", ")}`);
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    return refuse(`can't be read: ${reasonOf(error)}`);
  }
  let document: unknown;
  try {
    document = parse(content.replace(/^\ufeff/, ""));
  } catch {
    // The parsers' messages quote what they found, which may be a secret.
    return refuse(`is not well-formed ${extname(path).slice(1).toUpperCase()}`);
  }

  let top = document ?? {};
  if (!isMapping(top)) return refuse("must hold keys and values");
  let block = top;
  // No key of ours has such a name: it is a configuration of Datasette.
  if (Object.hasOwn(top, "plugins") || Object.hasOwn(top, "databases")) {
    let plugins = top["plugins"] ?? {};
    if (!isMapping(plugins) || !Object.hasOwn(plugins, pluginName)) {
      let near = isMapping(plugins)
        ? didYouMean(pluginName, Object.keys(plugins)).replace("Did you mean", "Is it")
        : "";
      return refuse(`has no ${pluginName}, so there is nothing for s3-uploads in it.${near}`, "plugins");
    }
    let own = plugins[pluginName] ?? {};
    if (!isMapping(own)) return refuse("must hold keys and values", pluginName);
    block = own;
  }
  return keysOf(block, source, dirname(path));
}

function keysOf(block: Record<string, unknown>, source: string, folder: string): GivenValues {
  let found: GivenValues = { values: [], faults: [] };
  for (let [name, raw] of Object.entries(block)) {
    if (isConfigKey(name)) {
      if (raw !== null) found.values.push({ key: name, raw, source, folder });
    } else {
      let rule = `is not a setting.${didYouMean(name, CONFIG_KEYS)}`;
      found.faults.push({ key: name, source, rule, value: null } satisfies Fault);
    }
  }
  return found;
}

/** A reference that leads nowhere; `name` may be a secret that somebody put in the wrong place. */
interface Unresolved {
  problem: string;
  name: string;
}

/** Where references lead to. */
export interface ReferenceSources {
  env: Environment;
  readFile: ReadFile;
  /** Relative paths start here. */
  folder: string;
}

/**
 * A value with Datasette's `{"$env": NAME}` and `{"$file": PATH}` resolved, also inside lists. A newline at the end of a
 * file is not part of the value.
 */
export function resolveReferences(raw: unknown, sources: ReferenceSources): { value: unknown } | Unresolved {
  if (Array.isArray(raw)) {
    let entries: unknown[] = [];
    for (let entry of raw) {
      let resolved = resolveReferences(entry, sources);
      if ("problem" in resolved) return resolved;
      entries.push(resolved.value);
    }
    return { value: entries };
  }
  if (!isMapping(raw) || Object.keys(raw).length !== 1) return { value: raw };
  let { $env: variable, $file: path } = raw;
  if (typeof variable === "string") {
    let value = sources.env[variable];
    return value === undefined
      ? { problem: "names a variable ($env) that is not set", name: variable }
      : { value };
  }
  if (typeof path === "string") {
    try {
      return { value: trimEndOf(sources.readFile(resolve(sources.folder, path)), "\r\n") };
    } catch (error) {
      return { problem: `names a file ($file) that can't be read: ${reasonOf(error)}`, name: path };
    }
  }
  return { value: raw };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function reasonOf(error: unknown): string {
  let code = (error as { code?: unknown } | null)?.code;
  if (code === "ENOENT") return "it does not exist";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EISDIR") return "it is a folder";
  return typeof code === "string" ? code : "reading failed";
}
