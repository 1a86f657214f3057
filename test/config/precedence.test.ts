import { describe, expect, test } from "bun:test";

import { CONFIG_KEYS, environmentNames, flagName } from "../../src/config/keys.ts";
import { configOf, linesOf } from "./load-helpers.ts";

const files = { "a.yaml": "data_dir: from-file\nport: 3\n" };
const configFile = "a.yaml";

describe("precedence", () => {
  for (let flag of [true, false]) {
    for (let variable of [true, false]) {
      for (let file of [true, false]) {
        let winner = flag ? "from-flag" : variable ? "from-variable" : file ? "from-file" : "./data";
        test(`flag ${flag}, variable ${variable}, file ${file}: ${winner}`, () => {
          let config = configOf({
            flags: flag ? { data_dir: "from-flag" } : {},
            env: variable ? { S3_UPLOADS_DATA_DIR: "from-variable" } : {},
            ...(file ? { configFile, files } : {}),
          });
          expect(config.data_dir).toBe(winner);
        });
      }
    }
  }

  test("is settled key by key", () => {
    let config = configOf({ flags: { host: "::1" }, env: { S3_UPLOADS_GPS: "drop" }, configFile, files });
    expect(config).toMatchObject({ host: "::1", gps: "drop", port: 3, duplicates: "store" });
  });

  test("the value of a weaker source is not looked at", () => {
    expect(configOf({ flags: { port: "80" }, env: { PORT: "none" } }).port).toBe(80);
    let broken = { "a.yaml": 'port: {"$env": MISSING}' };
    expect(configOf({ env: { PORT: "81" }, configFile, files: broken }).port).toBe(81);
  });

  test("--config comes before S3_UPLOADS_CONFIG", () => {
    let both = { ...files, "b.toml": "port = 4" };
    expect(configOf({ env: { S3_UPLOADS_CONFIG: "b.toml" }, files: both }).port).toBe(4);
    expect(configOf({ env: { S3_UPLOADS_CONFIG: "b.toml" }, configFile, files: both }).port).toBe(3);
    expect(configOf({ env: { S3_UPLOADS_CONFIG: "" } }).port).toBe(8080);
  });
});

describe("variables", () => {
  test("are S3_UPLOADS_ and the key, but for keys that are names of their own", () => {
    let own = Object.fromEntries(CONFIG_KEYS.map((key) => [key, environmentNames(key)[0]]));
    expect(own).toMatchObject({
      data_dir: "S3_UPLOADS_DATA_DIR",
      max_file_size_mb: "S3_UPLOADS_MAX_FILE_SIZE_MB",
      s3_bucket: "S3_BUCKET",
      aws_access_key_id: "AWS_ACCESS_KEY_ID",
    });
    expect(new Set(CONFIG_KEYS.flatMap(environmentNames)).size).toBe(
      CONFIG_KEYS.flatMap(environmentNames).length,
    );
  });

  for (let [env, expected] of [
    [{ PORT: "99" }, { port: 99 }],
    [{ PORT: "99", S3_UPLOADS_PORT: "98" }, { port: 98 }],
    [{ AWS_DEFAULT_REGION: "eu-west-1" }, { s3_region: "eu-west-1" }],
    [{ AWS_DEFAULT_REGION: "eu-west-1", AWS_REGION: "eu-west-2" }, { s3_region: "eu-west-2" }],
    [{ AWS_REGION: "eu-west-2", S3_REGION: "eu-west-3" }, { s3_region: "eu-west-3" }],
    [{ AWS_ENDPOINT_URL: "http://a" }, { s3_endpoint_url: "http://a" }],
    [{ AWS_ENDPOINT_URL: "http://a", AWS_ENDPOINT_URL_S3: "http://b" }, { s3_endpoint_url: "http://b" }],
    [
      { AWS_ENDPOINT_URL_S3: "http://b", S3_ENDPOINT_URL: "http://c", S3_BUCKET: "abc" },
      { s3_endpoint_url: "http://c" },
    ],
  ] as const) {
    test(`${Object.keys(env).join(" and ")} give ${JSON.stringify(expected)}`, () => {
      expect(configOf({ env })).toMatchObject(expected);
    });
  }

  test("that are empty say nothing, but for allow_anonymous, where nothing means nobody", () => {
    let config = configOf({
      env: { S3_BUCKET: "", S3_UPLOADS_PORT: "", PORT: "81", S3_PREFIX: "", S3_UPLOADS_ALLOW_ANONYMOUS: "" },
    });
    expect(config).toMatchObject({ s3_bucket: null, port: 81, s3_prefix: "uploads/", allow_anonymous: [] });
  });

  test("that Kubernetes makes for a service named s3-uploads are left alone", () => {
    let env = {
      S3_UPLOADS_SERVICE_HOST: "10.0.0.1",
      S3_UPLOADS_SERVICE_PORT: "80",
      S3_UPLOADS_SERVICE_PORT_HTTP: "80",
      S3_UPLOADS_PORT: "tcp://10.0.0.1:80",
      S3_UPLOADS_PORT_80_TCP: "tcp://10.0.0.1:80",
      S3_UPLOADS_PORT_80_TCP_ADDR: "10.0.0.1",
    };
    expect(configOf({ env }).port).toBe(8080);
  });
});

describe("flags", () => {
  test("can take a value back where there may be none", () => {
    expect(configOf({ flags: { s3_bucket: "" }, env: { S3_BUCKET: "abc" } }).s3_bucket).toBeNull();
    expect(configOf({ flags: { s3_prefix: "" } }).s3_prefix).toBe("");
    expect(linesOf({ flags: { port: "" } })).toHaveLength(1);
  });

  test("exist for every key but the secrets", () => {
    expect(CONFIG_KEYS.filter((key) => flagName(key) === null)).toEqual([
      "aws_secret_access_key",
      "aws_session_token",
      "token",
      "datasette_secret",
    ]);
  });
});
