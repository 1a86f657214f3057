import type { Config } from "./config.ts";
import { mask } from "./fault.ts";
import { CONFIG_KEYS, type KeyFacts, KEYS } from "./keys.ts";

/** The configuration with its secrets masked, fit to be shown and logged. */
export function redactedConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    CONFIG_KEYS.map((key) => {
      let facts: KeyFacts<unknown> = KEYS[key];
      return [key, facts.secret && config[key] !== null ? mask : config[key]];
    }),
  );
}

/** Freezes it, and makes it show itself masked where somebody logs it after all. */
export function guard(config: Config): Config {
  let show = (): Record<string, unknown> => redactedConfig(config);
  Object.defineProperty(config, "toJSON", { value: show });
  Object.defineProperty(config, Symbol.for("nodejs.util.inspect.custom"), { value: show });
  for (let value of Object.values(config)) Object.freeze(value);
  return Object.freeze(config);
}

/** The secrets that a configuration holds, to be masked in sentences that others wrote. */
export function secretsOf(config: Config): string[] {
  return CONFIG_KEYS.flatMap((key) => {
    let facts: KeyFacts<unknown> = KEYS[key];
    let value = config[key];
    return facts.secret && typeof value === "string" ? [value] : [];
  });
}
