import type { Config } from "./config/config.ts";
import { CONFIG_KEYS, KEYS } from "./config/keys.ts";
import { redactedConfig } from "./config/redact.ts";
import type { Json, JsonObject } from "./domain.ts";
import { type Audit, requesterOnMachine } from "./state/audit.ts";

/** Who starts and ends, as the audit log shows it. */
export const serverActor = requesterOnMachine("server");

/** Writes down that the server starts, with the settings that are not the usual ones, secrets masked. */
export function auditStart(audit: Pick<Audit, "write" | "last">, config: Config, version: string): void {
  let settings = unusualSettings(config);
  let before = audit.last("server_started")?.detail["settings"];
  let changed = isObject(before) ? changedKeys(before, settings) : [];
  audit.write("server_started", serverActor, {
    version,
    ...(changed.length > 0 && { changed }),
    settings,
  });
}

function unusualSettings(config: Config): JsonObject {
  let shown = redactedConfig(config);
  let unusual = CONFIG_KEYS.filter((key) => text(shown[key]) !== text(KEYS[key].default));
  return Object.fromEntries(unusual.map((key) => [key, plain(shown[key])]));
}

function changedKeys(before: JsonObject, after: JsonObject): string[] {
  let names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => text(before[name]) !== text(after[name]));
}

function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null));
}

function text(value: unknown): string {
  return JSON.stringify(value ?? null);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
