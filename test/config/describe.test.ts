import { expect, test } from "bun:test";

import { configTable, describeConfig } from "../../src/config/describe.ts";
import { CONFIG_KEYS } from "../../src/config/keys.ts";
import { redactedConfig } from "../../src/config/redact.ts";
import { configOf } from "./load-helpers.ts";

test("every key is described in one sentence, with a default", () => {
  let rows = describeConfig();
  expect(rows.map(({ key }) => key)).toEqual(CONFIG_KEYS);
  for (let row of rows) {
    expect(row.doc).toMatch(/^\S.*[^.\s]$/);
    expect(row.default).not.toBe("");
  }
});

test("the described defaults are those that count", () => {
  let config = redactedConfig(configOf({}));
  for (let { key, default: shown } of describeConfig()) {
    if (shown.startsWith("`")) expect({ [key]: `\`${String(config[key])}\`` }).toEqual({ [key]: shown });
  }
});

test("a unit is told for every number that needs one", () => {
  let units = Object.fromEntries(describeConfig().map(({ key, unit }) => [key, unit]));
  expect(units).toMatchObject({ max_file_size_mb: "MiB", upload_memory_mb: "MiB", stall_timeout_s: "s" });
  expect(units["min_upload_rate"]).toBe("bytes/s");
});

test("the table for README has a row a key, and as many cells in each", () => {
  let lines = configTable().trimEnd().split("\n");
  expect(lines).toHaveLength(CONFIG_KEYS.length + 2);
  for (let line of lines) expect(line.split("|")).toHaveLength(6);
  expect(configTable()).toContain(
    "| `max_file_size_mb` | largest file that is accepted (MiB) | `5120` | `S3_UPLOADS_MAX_FILE_SIZE_MB` |",
  );
});
