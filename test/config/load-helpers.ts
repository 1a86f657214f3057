import type { Config } from "../../src/config/config.ts";
import { type Fault, formatFault } from "../../src/config/fault.ts";
import { type ConfigSources, loadConfig } from "../../src/config/load.ts";

export type Sources = Partial<ConfigSources> & { files?: Record<string, string> };

export function load({ flags = {}, env = {}, configFile, files = {} }: Sources) {
  return loadConfig({ flags, env, configFile, readFile: readerOf(files) });
}

/** The configuration, or a failing test that tells the faults. */
export function configOf(sources: Sources): Config {
  let result = load(sources);
  if (!result.ok) throw new Error(result.faults.map(formatFault).join("\n"));
  return result.config;
}

export function faultsOf(sources: Sources): readonly Fault[] {
  let result = load(sources);
  return result.ok ? [] : result.faults;
}

/** The faults as they are printed, a line each. */
export function linesOf(sources: Sources): string[] {
  return faultsOf(sources).map(formatFault);
}

function readerOf(files: Record<string, string>) {
  return (path: string): string => {
    let content = files[path];
    if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    return content;
  };
}
