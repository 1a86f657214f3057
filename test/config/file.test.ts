import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { formatFault } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configOf, linesOf } from "./load-helpers.ts";

const FORMATS = {
  "c.yaml": "# ours\ns3_bucket: abc\nport: 81\nallowed_extensions: [jpg, png]\ns3_force_path_style: true\n",
  "c.YML": "s3_bucket: abc\nport: '81'\nallowed_extensions: jpg,png\ns3_force_path_style: yes\n",
  "c.json":
    '\ufeff{"s3_bucket": "abc", "port": 81, "allowed_extensions": ["jpg", "png"], "s3_force_path_style": true}',
  "c.jsonc":
    '{"s3_bucket": "abc", // ours\n"port": 81, "allowed_extensions": ["jpg", "png",], "s3_force_path_style": true}',
  "c.toml": 's3_bucket = "abc"\nport = 81\nallowed_extensions = ["jpg", "png"]\ns3_force_path_style = true\n',
};

describe("a config file", () => {
  for (let [configFile, content] of Object.entries(FORMATS)) {
    test(`is read as ${configFile}`, () => {
      expect(configOf({ configFile, files: { [configFile]: content } })).toMatchObject({
        s3_bucket: "abc",
        port: 81,
        allowed_extensions: ["jpg", "png"],
        s3_force_path_style: true,
      });
    });
  }

  test("may be empty", () => {
    expect(configOf({ configFile: "c.yaml", files: { "c.yaml": "" } }).port).toBe(8080);
  });

  for (let [configFile, files, expected] of [
    ["c.yaml", {}, "config (file c.yaml): can't be read: it does not exist"],
    ["c.ini", { "c.ini": "" }, "config (file c.ini): must end in .yaml, .yml, .json, .jsonc, .toml"],
    ["c.yaml", { "c.yaml": "a: [" }, "config (file c.yaml): is not well-formed YAML"],
    ["c.json", { "c.json": "port = 1" }, "config (file c.json): is not well-formed JSON"],
    ["c.toml", { "c.toml": "port: 1" }, "config (file c.toml): is not well-formed TOML"],
    ["c.json", { "c.json": "[1]" }, "config (file c.json): must hold keys and values"],
    ["c.yaml", { "c.yaml": "a: 1\n---\nb: 2" }, "config (file c.yaml): must hold keys and values"],
    [
      "c.yaml",
      { "c.yaml": "plugins:\n  datasette-s3-upload:\n    port: 1" },
      "plugins (file c.yaml): has no datasette-s3-uploads, so there is nothing for s3-uploads in it. Is it datasette-s3-upload?",
    ],
    [
      "datasette.yaml",
      { "datasette.yaml": "databases:\n  uploads:\n    allow: true" },
      "plugins (file datasette.yaml): has no datasette-s3-uploads, so there is nothing for s3-uploads in it.",
    ],
    [
      "c.yaml",
      { "c.yaml": "plugins:\n  datasette-s3-uploads: 5" },
      "datasette-s3-uploads (file c.yaml): must hold keys and values",
    ],
  ] as const) {
    test(expected, () => expect(linesOf({ configFile, files })).toEqual([expected]));
  }
});

describe("Datasette's configuration", () => {
  let datasette = {
    title: "Our data",
    port: "Datasette's own, and no key of ours",
    plugins: { "datasette-cluster-map": { x: 1 }, "datasette-s3-uploads": { port: 82, gps: "drop" } },
  };

  test("is read below plugins: datasette-s3-uploads: alone", () => {
    let files = { "metadata.json": JSON.stringify(datasette) };
    expect(configOf({ configFile: "metadata.json", files })).toMatchObject({ port: 82, gps: "drop" });
    files = { "metadata.json": '{"plugins": {"datasette-s3-uploads": null}}' };
    expect(configOf({ configFile: "metadata.json", files }).port).toBe(8080);
  });

  test("has its unknown keys refused inside the block", () => {
    let files = { "datasette.yaml": "title: x\nplugins:\n  datasette-s3-uploads:\n    prot: 1\n" };
    expect(linesOf({ configFile: "datasette.yaml", files })).toEqual([
      "prot (file datasette.yaml): is not a setting. Did you mean port?",
    ]);
  });
});

describe("references", () => {
  let folder = mkdtempSync(join(tmpdir(), "config-file-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "secret.txt"), "from a file\n".replaceAll(" ", "-"));
  let configFile = join(folder, "c.json");
  let load = (content: object, env: Record<string, string> = {}) => {
    writeFileSync(configFile, JSON.stringify(content));
    return loadConfig({ flags: {}, env, configFile, readFile: (path) => readFileSync(path, "utf8") });
  };

  test("are resolved from variables, from files beside the config file, and in lists", () => {
    let result = load(
      {
        aws_access_key_id: { $env: "MY_KEY" },
        aws_secret_access_key: { $file: "secret.txt" },
        port: { $env: "MY_PORT" },
        s3_bucket: { $env: "MY_BUCKET" },
        allowed_extensions: ["jpg", { $env: "MY_EXTENSION" }],
      },
      { MY_KEY: "AKID", MY_PORT: "83", MY_BUCKET: "", MY_EXTENSION: "png" },
    );
    expect(result.ok && result.config).toMatchObject({
      port: 83,
      s3_bucket: null,
      allowed_extensions: ["jpg", "png"],
    });
    if (!result.ok) throw new Error("refused");
    expect(result.config.aws_access_key_id).toBe("AKID");
    expect(result.config.aws_secret_access_key).toBe("from-a-file");
  });

  test("that lead nowhere are faults of their key", () => {
    let result = load({
      s3_region: { $env: "MISSING" },
      s3_bucket: { $file: "missing.txt" },
      data_dir: { $file: "." },
    });
    expect(result.ok ? [] : result.faults.map(formatFault)).toEqual([
      `s3_bucket = "missing.txt" (file ${configFile}): names a file ($file) that can't be read: it does not exist`,
      `s3_region = "MISSING" (file ${configFile}): names a variable ($env) that is not set`,
      `data_dir = "." (file ${configFile}): names a file ($file) that can't be read: it is a folder`,
    ]);
  });

  test("are nothing but these two shapes", () => {
    for (let value of [{ $env: 5 }, { $env: "A", $file: "b" }, { env: "A" }]) {
      let result = load({ s3_region: value }, { A: "x" });
      expect(result.ok ? [] : result.faults.map(({ key }) => key)).toEqual(["s3_region"]);
    }
  });
});
